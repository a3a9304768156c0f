#include <string>
#include <utility>

#include "broker/session/ids.h"
#include "broker/session/session.h"

// ACK and NACK (facts G). `id`, `ack` and `message-id` may stand for each other: which of the two
// forms a value has tells what it names.
namespace stompbox::session {
namespace {

using protocol::Version;

constexpr int kSameMessageMax = 16;  // ended subscriptions that are looked through

std::string command_of(const protocol::Frame& frame) {
  return std::string(protocol::to_text(frame.command));
}

// The header that names the delivery, with the version's own name first.
std::optional<protocol::Headers::View> find_key(const protocol::Headers& headers, Version version) {
  const bool id_first = version == Version::k12;
  for (const std::string_view name :
       {id_first ? "id" : "message-id", id_first ? "ack" : "id", id_first ? "message-id" : "ack"}) {
    if (const auto value = headers.find(name)) {
      return protocol::Headers::View{.name = name, .value = *value};
    }
  }
  return std::nullopt;
}

}  // namespace

void Session::on_verdict(const Frame& frame, Verdict verdict) {
  if (refuse_transaction(frame)) return;
  const auto target = find_acked(frame);
  if (const auto* const refusal = std::get_if<Refusal>(&target)) {
    fail(frame, *refusal);
    return;
  }
  settle(std::get<AckId>(target), verdict, frame);
}

std::variant<AckId, Refusal> Session::find_acked(const Frame& frame) {
  const auto key = find_key(frame.headers, *version_);
  if (!key) {
    return Refusal{"Missing header", command_of(frame) + ": the header " +
                                         (version_ == Version::k12 ? "id" : "message-id") +
                                         " is missing."};
  }
  const auto named = frame.headers.find("subscription");
  if (version_ == Version::k11 && key->name == "message-id" && !named) {
    return Refusal{"Missing header", command_of(frame) + ": the header subscription is missing."};
  }
  if (const Subscription* const live = named ? subscriptions_.find_live(*named) : nullptr;
      live != nullptr && live->ack_mode == routing::AckMode::kAuto) {
    return Refusal{"Nothing to acknowledge",
                   command_of(frame) + ": the subscription " + quoted(*named) + " is ack:auto."};
  }
  std::optional<AckId> found = parse_ack_id(key->value);
  if (found && !unacked_.contains(*found)) found.reset();
  if (const auto message = parse_message_id(key->value))
    found = find_acked_message(*message, named);
  if (found) return *found;
  return Refusal{"Nothing to acknowledge",
                 command_of(frame) + ": no message " + quoted(key->value) +
                     " waits for it on this connection; it may be acknowledged already, or its "
                     "subscription is ack:auto."};
}

std::optional<AckId> Session::find_acked_message(queue::MessageId message,
                                                 std::optional<std::string_view> subscription) {
  if (!subscription) return unacked_.find(message);
  if (const Subscription* const live = subscriptions_.find_live(*subscription)) {
    if (const auto found = unacked_.find(message, live->tag)) return found;
  }
  // An ended one of that name, or a 1.0 subscription without an id.
  auto candidate = unacked_.find(message);
  for (int i = 0; candidate && i < kSameMessageMax; ++i) {
    const Subscription* const owner = subscriptions_.find(candidate->tag);
    if (owner->ended && owner->id == subscription) return candidate;
    if (!owner->id && version_ == Version::k10) return candidate;
    candidate = unacked_.find_after(message, candidate->tag);
  }
  return std::nullopt;
}

// In client mode everything before it is covered too (facts G2, G6). What is not acknowledged goes
// back to its own place in the queue.
void Session::settle(const AckId& target, Verdict verdict, const Frame& frame) {
  const Subscription& subscription = *subscriptions_.find(target.tag);
  const auto reach = subscription.ack_mode == routing::AckMode::kClient ? routing::Reach::kUpTo
                                                                        : routing::Reach::kOne;
  unacked_.remove(target, reach);
  const auto receipt = owe_receipt(frame);
  const bool is_known =
      verdict == Verdict::kAck
          ? router_.acknowledge(subscription.number, target.delivery, reach, receipt)
          : router_.give_back(subscription.number, target.delivery, reach, routing::Seen::kMaybe,
                              receipt);
  if (!is_known) {
    fail(frame, {"Nothing to acknowledge",
                 command_of(frame) + ": the broker has taken the message back."});
    return;
  }
  if (subscription.ended && !unacked_.any_of(target.tag)) subscriptions_.erase(target.tag);
}

}  // namespace stompbox::session

#include <string>
#include <utility>
#include <vector>

#include "broker/session/ids.h"
#include "broker/session/message_writer.h"
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

// Clients that acknowledge all they get do so with the mark at the end of a browse, too.
bool acks_browse_end(const protocol::Headers& headers, Version version) {
  const auto key = find_key(headers, version);
  return key && key->value == kBrowseEndId;
}

std::vector<routing::Transacted> one_by_one(routing::SubscriptionId subscription,
                                            const std::vector<Unacked::Claim>& reached,
                                            routing::Outcome outcome) {
  std::vector<routing::Transacted> verdicts;
  for (const Unacked::Claim& each : reached) {
    verdicts.emplace_back(routing::TransactedVerdict{.subscription = subscription,
                                                     .delivery = each.delivery.delivery,
                                                     .reach = routing::Reach::kOne,
                                                     .outcome = outcome,
                                                     .receipt = std::nullopt});
  }
  return verdicts;
}

}  // namespace

void Session::on_verdict(const Frame& frame) {
  Transaction* transaction = nullptr;
  if (const auto id = frame.headers.find("transaction"); id && !id->empty()) {
    transaction = find_transaction(frame, *id);
    if (transaction == nullptr) return;
  }
  const auto outcome = read_outcome(frame);
  if (!outcome) return;
  if (has_browsed_ && acks_browse_end(frame.headers, *version_)) {
    owe_due_receipt(frame);
    return;
  }
  const auto target = find_acked(frame);
  if (const auto* const refusal = std::get_if<Refusal>(&target)) {
    fail(frame, *refusal);
  } else if (transaction != nullptr) {
    add_verdict(frame, *transaction, std::get<AckId>(target), *outcome);
  } else {
    settle(std::get<AckId>(target), *outcome, frame);
  }
}

// What becomes of the message: RabbitMQ's requeue says it, else the profile. Nothing: refused.
std::optional<routing::Outcome> Session::read_outcome(const Frame& frame) {
  if (frame.command == protocol::Command::kAck) return routing::Outcome::kAcknowledge;
  const auto requeue = frame.headers.find("requeue");
  if (!requeue) {
    return options_.profile->nack == routing::NackMeaning::kRequeue ? routing::Outcome::kReturn
                                                                    : routing::Outcome::kReject;
  }
  if (requeue == "true") return routing::Outcome::kReturn;
  if (requeue == "false") return routing::Outcome::kReject;
  fail(frame, {"Bad header",
               "NACK: the header requeue is " + quoted(*requeue) + "; true or false is expected."});
  return std::nullopt;
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

// In client mode everything before it is covered too (facts G2, G6), but for what open transactions
// have claimed: then each is named by itself, and all together have one receipt (promise P2).
void Session::settle(const AckId& target, routing::Outcome outcome, const Frame& frame) {
  const Subscription& subscription = *subscriptions_.find(target.tag);
  const bool is_cumulative = subscription.ack_mode == routing::AckMode::kClient;
  const auto reach = is_cumulative ? routing::Reach::kUpTo : routing::Reach::kOne;
  const auto receipt = owe_receipt(frame);
  bool is_known = true;
  if (is_cumulative && unacked_.has_claims(target.tag)) {
    auto verdicts = one_by_one(subscription.number, unacked_.reached(target, reach), outcome);
    is_known = router_.commit(*peer_, std::move(verdicts), now_.wall_ms, receipt).has_value();
  } else {
    is_known = conclude(subscription, target.delivery, reach, outcome, receipt);
  }
  unacked_.remove(target, reach);
  if (!is_known) {
    if (receipt) receipts_.forget_from(*receipt);
    fail(frame, {"Nothing to acknowledge",
                 command_of(frame) + ": the broker has taken the message back."});
    return;
  }
  if (subscription.ended) drop_if_spent(target.tag);
}

bool Session::conclude(const Subscription& subscription, routing::DeliveryId delivery,
                       routing::Reach reach, routing::Outcome outcome,
                       std::optional<routing::ReceiptNumber> receipt) {
  if (outcome == routing::Outcome::kAcknowledge) {
    return router_.acknowledge(subscription.number, delivery, reach, receipt);
  }
  return router_.refuse_delivery(subscription.number, delivery, reach, outcome, receipt);
}

}  // namespace stompbox::session

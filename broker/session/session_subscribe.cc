#include <algorithm>
#include <string>
#include <utility>

#include "broker/session/message_writer.h"
#include "broker/session/session.h"

// SUBSCRIBE and UNSUBSCRIBE.
namespace stompbox::session {

using protocol::Version;
using routing::DestinationKind;

namespace {

// What its texts take up here and in routing.
std::size_t text_bytes_of(const SubscribeWish& wish) {
  // The id stands in the index and in the head of its MESSAGEs, too, the destination in the index.
  std::size_t bytes = 3 * wish.id.value_or("").size() + 2 * wish.destination_text.size();
  for (const routing::Destination& destination : wish.destinations)
    bytes += destination.name.size();
  if (wish.selector) bytes += wish.selector->text().size();
  return bytes + wish.durable_name.value_or("").size() + wish.seq_header.size() +
         wish.arrival_header.size();
}

}  // namespace

void Session::on_subscribe(const Frame& frame) {
  auto read = read_subscribe(frame.headers, *version_, client_id_, options_);
  if (const auto* const refusal = std::get_if<Refusal>(&read)) {
    fail(frame, *refusal);
    return;
  }
  auto& wish = std::get<SubscribeWish>(read);
  Subscription* const namesake = wish.id ? subscriptions_.find_live(*wish.id) : nullptr;
  if (namesake != nullptr && !namesake->implied) {
    fail(frame, {"Already subscribed",
                 "SUBSCRIBE: the id " + quoted(*wish.id) + " is in use on this connection."});
    return;
  }
  if (rights_ && !may_subscribe(frame, wish)) return;
  // A reply-to has subscribed to it: from now on the peer does so itself.
  Subscription* const implied = subscriptions_.find_oldest_of(wish.destination_text);
  if (implied != nullptr && implied->implied) end_subscription(*implied);
  if (namesake != nullptr && namesake != implied) end_subscription(*namesake);
  Subscription* const subscription = add_subscription(frame, std::move(wish));
  if (subscription == nullptr) return;
  if (const auto receipt = owe_receipt(frame)) {
    receipts_.starts(*receipt, subscription->tag);
    receipts_.mark_due(*receipt);
  } else {
    start(*subscription);
  }
}

bool Session::may_subscribe(const Frame& frame, const SubscribeWish& wish) {
  const bool browses = wish.browsing != routing::Browsing::kNo;
  const Operation operation = browses ? Operation::kBrowse : Operation::kRead;
  for (const routing::Destination& destination : wish.destinations) {
    if (!permit_use(frame, operation,
                    {destination.kind, destination.name, destination.has_wildcards})) {
      return false;
    }
  }
  if (!wish.durable_name) return true;
  const routing::DestinationView durable{DestinationKind::kDurable, *wish.durable_name};
  return permit_use(frame, Operation::kRead, durable);
}

// Nothing if it was refused.
Subscription* Session::add_subscription(const Frame& frame, SubscribeWish&& wish) {
  if (subscriptions_.size() >= options_.subscription_count_max) {
    fail(frame, {"Too many subscriptions",
                 std::string(protocol::to_text(frame.command)) + ": one connection may have " +
                     std::to_string(options_.subscription_count_max) +
                     ", ended ones with unacknowledged messages included."});
    return nullptr;
  }
  const std::size_t text_bytes = text_bytes_of(wish);
  if (subscriptions_.text_bytes() + text_bytes > options_.subscription_bytes_max) {
    fail(frame, {"Too many subscriptions",
                 std::string(protocol::to_text(frame.command)) +
                     ": the ids, destinations and selectors of one connection may have " +
                     std::to_string(options_.subscription_bytes_max) + " bytes."});
    return nullptr;
  }
  const std::uint32_t tag = subscriptions_.next_tag();
  const bool is_private =
      wish.destinations.size() == 1 && (wish.destinations[0].kind == DestinationKind::kTempQueue ||
                                        wish.destinations[0].kind == DestinationKind::kTempTopic);
  auto made = std::make_unique<Subscription>();
  Subscription& subscription = *made;
  const auto number = router_.subscribe({.peer = *peer_,
                                         .tag = tag,
                                         .destinations = std::move(wish.destinations),
                                         .ack_mode = wish.ack_mode,
                                         .credit = wish.credit,
                                         .selector = std::move(wish.selector),
                                         .locality = wish.locality,
                                         .durable_name = wish.durable_name,
                                         .exclusivity = wish.exclusivity,
                                         .priority = wish.priority,
                                         .browsing = wish.browsing,
                                         .browse_from = wish.browse_from,
                                         .memory = &subscription});
  if (!number) {
    fail(frame, {"Not subscribed",
                 std::string(protocol::to_text(frame.command)) + ": " + number.error().text});
    return nullptr;
  }
  if (wish.browsing != routing::Browsing::kNo) has_browsed_ = true;
  subscription.tag = tag;
  subscription.message_head = NearText(make_message_head(*version_, wish.id));
  subscription.id = std::move(wish.id);
  subscription.destination = std::move(wish.destination_text);
  subscription.ack_mode = wish.ack_mode;
  subscription.credit = wish.credit;
  subscription.number = *number;
  subscription.seq_header = std::move(wish.seq_header);
  subscription.arrival_header = std::move(wish.arrival_header);
  subscription.durable_name = std::move(wish.durable_name);
  subscription.marks_end = wish.browsing == routing::Browsing::kOnce;
  subscription.text_bytes = text_bytes;
  // Its owner sees its own name for it, not the strangers' (fact 2.7).
  if (is_private) subscription.shown_destination = subscription.destination;
  return &subscriptions_.add(std::move(made));
}

// Deliveries in flight stay ackable (fact F15).
void Session::end_subscription(Subscription& subscription) {
  router_.unsubscribe(subscription.number);
  subscriptions_.end(subscription);
  drop_if_spent(subscription.tag);
}

void Session::drop_if_spent(std::uint32_t tag) {
  const Subscription* const subscription = subscriptions_.find(tag);
  if (subscription != nullptr && subscription->ended && !unacked_.any_of(tag)) {
    subscriptions_.erase(tag);
    unacked_.forget(tag);
  }
}

// With the headers that made a durable subscription it is deleted, without them it rests
// (fact 2.5).
void Session::on_unsubscribe(const Frame& frame) {
  const auto durable = find_durable_name(frame.headers, client_id_);
  const bool is_named =
      frame.headers.find("id") || (version_ == Version::k10 && frame.headers.find("destination"));
  if (!is_named && !(durable && !durable->by_id)) {
    fail(frame, {"Missing header", version_ == Version::k10
                                       ? "UNSUBSCRIBE: the headers id and destination are missing."
                                       : "UNSUBSCRIBE: the header id is missing."});
    return;
  }
  Subscription* const subscription = find_unsubscribed(frame);
  const bool rests_no_more =
      durable && !durable->name.empty() && (subscription == nullptr || subscription->durable_name);
  if (rests_no_more) {
    forget_durable(frame, durable->name);
    return;
  }
  if (subscription == nullptr) {
    fail(frame, {"Unknown subscription", "UNSUBSCRIBE: there is no such subscription."});
    return;
  }
  end_subscription(*subscription);
  owe_due_receipt(frame);
}

// Our own subscriptions to it end first; while others use it, it cannot be deleted.
void Session::forget_durable(const Frame& frame, const std::string& name) {
  if (!permit(frame, Operation::kManage, {DestinationKind::kDurable, name})) return;
  for (Subscription* own = subscriptions_.find_durable(name); own != nullptr;
       own = subscriptions_.find_durable(name)) {
    end_subscription(*own);
  }
  if (const auto status = router_.forget_durable(name); !status) {
    const bool is_unknown = status.error().code == storage::ErrorCode::kNotFound;
    fail(frame, {is_unknown ? "Unknown subscription" : "Subscription in use",
                 "UNSUBSCRIBE: " + status.error().text});
    return;
  }
  owe_due_receipt(frame);
}

// In 1.0 a destination will do; of several subscriptions to it the oldest ends.
Subscription* Session::find_unsubscribed(const Frame& frame) {
  if (const auto id = frame.headers.find("id")) {
    if (Subscription* const found = subscriptions_.find_live(*id)) return found;
  }
  if (version_ != Version::k10) return nullptr;
  const auto destination = frame.headers.find("destination");
  return destination ? subscriptions_.find_oldest_of(*destination) : nullptr;
}

}  // namespace stompbox::session

#include <algorithm>
#include <cassert>
#include <utility>

#include "broker/routing/batch.h"
#include "broker/routing/browse.h"
#include "broker/routing/routed_queue.h"
#include "broker/routing/router.h"

// From a queue or topic to a consumer, and what the consumer says of it.
namespace stompbox::routing {
namespace {

// The reader is to work while a page goes out: the next one is asked for when the first message of
// many is out, and looked for again after so many.
constexpr std::size_t kDeliveriesPerLook = 64;

constexpr std::int64_t kNoRoomDelayMs = 1000;

}  // namespace

void Router::hand_out(Subscription& subscription, Entry entry, std::uint64_t lost_before) {
  Delivery delivery;
  delivery.subscription = subscription.id;
  delivery.tag = subscription.tag;
  fetch<3>(subscription.consumer_memory);
  delivery.message = entry.message;
  delivery.earlier_deliveries = entry.deliveries;
  delivery.redelivered = entry.redelivered;
  delivery.first_of_group = entry.first_of_group;
  delivery.retained = entry.retained;
  delivery.lost_before = lost_before;
  delivery.seq = entry.place.seq.value;
  delivery.id = subscription.in_flight.add(std::move(entry));
  figures_.delivered += 1;
  subscription.consumer->deliver(delivery);
}

void Router::deliver(RoutedQueue& queue, Seat& seat, Entry entry) {
  entry.home = &queue;
  queue.in_flight += 1;
  queue.in_flight_bytes += entry.bytes();
  hand_out(*seat.subscription, std::move(entry));
  queue.offer_turn(seat);
}

void Router::pump(RoutedQueue& queue) {
  if (queue.care.drainages > 0) continue_drain(queue);
  std::size_t delivered = 0;
  while (auto next = queue.next_dispatch(now_ms_, committed_through_)) {
    if (delivered++ % kDeliveriesPerLook == 1) request_load(queue);
    deliver(queue, *next->seat, std::move(next->entry));
  }
  if (queue.has_expired()) expire(queue);
  request_load(queue);
  arm(queue);
}

// Pages come while a consumer still has something from memory to work on.
void Router::request_load(RoutedQueue& queue) {
  if (const auto request = queue.want_load(now_ms_, committed_through_)) journal_.load(*request);
  list_for_commit(queue);
}

void Router::list_for_commit(RoutedQueue& queue) {
  if (!queue.waits_for_commit() || std::exchange(queue.listed_for_commit, true)) return;
  waiting_for_commit_.push_back(queue.id());
}

void Router::credit_came(Subscription& subscription) {
  if (subscription.ended) return;
  if (subscription.browses) {
    pump_browser(subscription);
    return;
  }
  if (!subscription.backlog.empty()) pump_backlog(subscription);
  for (Seat& seat : subscription.seats) {
    seat.queue->offer_turn(seat);
    pump(routed(*seat.queue));
  }
}

std::optional<DeliveryId> Router::next_reached(const Subscription& subscription,
                                               DeliveryId delivery, Reach reach) {
  if (subscription.in_flight.find(delivery) == nullptr) return std::nullopt;
  return reach == Reach::kOne ? delivery : subscription.in_flight.first();
}

void Router::expect_acknowledge(SubscriptionId id) const {
  const auto index = static_cast<std::uint32_t>(id.value);
  if (index >= subscriptions_.size()) return;
  fetch<Subscription::kHotLines>(subscriptions_[index].subscription.get());
}

void Router::prepare_acknowledge(SubscriptionId id) const {
  if (const Subscription* const subscription = find(id)) subscription->in_flight.fetch_first();
}

bool Router::acknowledge(SubscriptionId id, DeliveryId delivery, Reach reach,
                         std::optional<ReceiptNumber> receipt) {
  Subscription* subscription = find(id);
  if (subscription == nullptr || subscription->in_flight.find(delivery) == nullptr) return false;
  const queue::Urgency urgency = receipt ? queue::Urgency::kNow : queue::Urgency::kRide;
  queue::Ticket last;
  while (const auto next = next_reached(*subscription, delivery, reach)) {
    if (const auto ticket = finish(*subscription, *next, urgency)) last = *ticket;
  }
  settle(subscription->peer, last, Contents::kRemovals, receipt);
  after_verdicts(id);
  return true;
}

Entry Router::take_from_flight(Subscription& subscription, DeliveryId delivery) {
  Entry entry = subscription.in_flight.take(delivery);
  if (entry.home == nullptr) return entry;
  entry.home->in_flight -= 1;
  entry.home->in_flight_bytes -= entry.bytes();
  return entry;
}

// An explicit ACK that comes while the append is pending withdraws it: nothing is written, nothing
// has to be erased, the sender's receipt is due. `auto` never withdraws: nobody has said that it
// arrived.
std::optional<queue::Ticket> Router::finish(Subscription& subscription, DeliveryId delivery,
                                            queue::Urgency urgency) {
  const Entry entry = take_from_flight(subscription, delivery);
  if (entry.home == nullptr) return std::nullopt;
  Queue& queue = *entry.home;
  queue.acknowledged += 1;
  room_in(routed(queue));
  if (entry.storing == Storing::kMemoryOnly) return std::nullopt;
  if (subscription.ack_mode != AckMode::kAuto && withdraw(entry)) {
    queue.on_withdrawn(entry.place);
    return std::nullopt;
  }
  erase(entry, urgency);
  return last_submitted_;
}

// Not what came back: its count of deliveries would stay in the store, for whoever gets its place.
bool Router::withdraw(const Entry& entry) {
  if (entry.storing != Storing::kAlone || entry.append <= committed_through_) return false;
  if (entry.deliveries > 0) return false;
  if (!journal_.withdraw(entry.append)) return false;
  figures_.withdrawn += 1;
  if (entry.debt.owed()) {
    waits_.forget(entry.append);
    pay(entry.debt);
  }
  return true;
}

// What a verdict may have made possible.
void Router::after_verdicts(SubscriptionId id) {
  Subscription* const subscription = find(id);
  if (subscription == nullptr) return;
  credit_came(*subscription);
  drop_if_spent(*subscription);
}

bool Router::give_back(SubscriptionId id, DeliveryId delivery, Reach reach, Seen seen,
                       std::optional<ReceiptNumber> receipt) {
  const CameBack how = seen == Seen::kNever ? CameBack::kUnseen : CameBack::kReturned;
  return return_all(id, delivery, reach, how, receipt);
}

bool Router::refuse_delivery(SubscriptionId id, DeliveryId delivery, Reach reach, Outcome outcome,
                             std::optional<ReceiptNumber> receipt) {
  assert(outcome != Outcome::kAcknowledge);
  const CameBack how = outcome == Outcome::kReject ? CameBack::kRejected : CameBack::kRefused;
  return return_all(id, delivery, reach, how, receipt);
}

// The count of deliveries is kept for the next start (promise P3). Somebody who waits for that
// (promise P2) gets it as a group: a Return of its own is never synced for itself.
bool Router::return_all(SubscriptionId id, DeliveryId delivery, Reach reach, CameBack how,
                        std::optional<ReceiptNumber> receipt) {
  Subscription* subscription = find(id);
  if (subscription == nullptr || subscription->in_flight.find(delivery) == nullptr) return false;
  Batch batch;
  batch.returns_ride = !receipt;
  while (const auto next = next_reached(*subscription, delivery, reach)) {
    come_back(batch, *subscription, take_from_flight(*subscription, *next), how);
  }
  batch.debts.push_back({subscription->peer, receipt.value_or(ReceiptNumber{})});
  submit(std::move(batch));
  after_verdicts(id);
  return true;
}

void Router::come_back(Batch& batch, Subscription& subscription, Entry entry, CameBack how) {
  const bool may_bury = !disk_full_;  // else it waits in its place, and comes again
  const bool is_letter =
      entry.home == nullptr ? !subscription.browses : letter_queue_for(entry).has_value();
  if (how == CameBack::kRejected && is_letter) {
    if (may_bury) {
      bury(batch, std::move(entry),
           {"rejected", "a consumer refused it and asked that it is not given to anybody else"});
      return;
    }
    if (entry.home == nullptr) {  // a topic's has no place
      figures_.dead_letters_dropped += 1;
      return;
    }
  }
  if (how != CameBack::kUnseen) {
    entry.deliveries += 1;
    entry.redelivered = true;
  }
  if (entry.home == nullptr) {
    if (!subscription.ended) put_back(subscription, std::move(entry));
    return;
  }
  const Policy& policy = routed(*entry.home).care.policy;
  const bool counts_for_limit = how == CameBack::kRefused || how == CameBack::kOrphaned;
  if (counts_for_limit && may_bury && policy.redeliveries_max > 0 &&
      entry.deliveries > policy.redeliveries_max && is_letter) {
    const std::string times = std::to_string(entry.deliveries);
    bury(batch, std::move(entry),
         {"redelivered", "it was delivered " + times + " times and never acknowledged"});
    return;
  }
  return_to_place(batch, std::move(entry), how);
}

// Back to its own place (promise P4), after the policy's delay if it was refused.
void Router::return_to_place(Batch& batch, Entry entry, CameBack how) {
  RoutedQueue& queue = routed(*entry.home);
  queue.returned_total += 1;
  batch.touched.insert(queue.id());
  if (how != CameBack::kUnseen && entry.storing != Storing::kMemoryOnly) {
    const queue::Return kept{queue.id(), entry.place, entry.deliveries};
    if (batch.returns_ride) {
      entry.stored_by = journal_.submit(kept);
      note_ticket(entry.stored_by);
    } else {
      batch.ops.emplace_back(kept);
      const std::int64_t delay_ms = delay_of(queue, entry, how);
      batch.comebacks.push_back({&queue, std::move(entry), delay_ms});
      return;
    }
  }
  const std::int64_t delay_ms = delay_of(queue, entry, how);
  put_at_place(queue, std::move(entry), delay_ms);
}

std::int64_t Router::delay_of(const RoutedQueue& queue, const Entry& entry, CameBack how) const {
  const Policy& policy = queue.care.policy;
  // A consumer that rejects without end must not spin while there is no room for the letter.
  if (how == CameBack::kRejected && disk_full_) return kNoRoomDelayMs;
  if (how != CameBack::kRefused || policy.redelivery_delay.count() <= 0) return 0;
  double delay = static_cast<double>(policy.redelivery_delay.count());
  const auto longest = static_cast<double>(policy.redelivery_delay_max.count());
  for (std::uint32_t i = 1; i < entry.deliveries && delay < longest; ++i) {
    if (policy.redelivery_backoff <= 1.0) break;
    delay *= policy.redelivery_backoff;
  }
  return static_cast<std::int64_t>(std::min(delay, std::max(longest, 0.0)));
}

void Router::put_at_place(RoutedQueue& queue, Entry entry, std::int64_t delay_ms) {
  if (delay_ms > 0) {
    queue.push_delayed(std::move(entry), now_ms_ + delay_ms);
  } else {
    queue.push_returned(std::move(entry));
  }
}

std::optional<DeliveryId> Router::find_in_flight(SubscriptionId id,
                                                 queue::MessageId message) const {
  const Subscription* subscription = find(id);
  return subscription == nullptr ? std::nullopt : subscription->in_flight.find_message(message);
}

}  // namespace stompbox::routing

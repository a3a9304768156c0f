#include <algorithm>
#include <cassert>
#include <utility>

#include "broker/routing/queue.h"
#include "broker/routing/router.h"
#include "broker/routing/subscription.h"
#include "broker/routing/topic.h"

// From a queue or topic to a consumer, and what the consumer says of it.
namespace stompbox::routing {

void Router::hand_out(Subscription& subscription, Entry entry) {
  Delivery delivery;
  delivery.subscription = subscription.id;
  delivery.tag = subscription.tag;
  delivery.message = entry.message;
  delivery.earlier_deliveries = entry.deliveries;
  delivery.redelivered = entry.redelivered;
  delivery.id = subscription.in_flight.add(std::move(entry));
  figures_.delivered += 1;
  subscription.consumer->deliver(delivery);
}

void Router::deliver(Queue& queue, Subscription& subscription, Entry entry) {
  queue.in_flight += 1;
  queue.in_flight_bytes += entry.bytes();
  hand_out(subscription, std::move(entry));
}

void Router::pump(Queue& queue) {
  while (queue.resident_count() > 0) {
    Subscription* const subscription = queue.next_turn();
    if (subscription == nullptr) return;
    deliver(queue, *subscription, std::move(*queue.pop()));
    queue.offer_turn(*subscription);
  }
  request_load(queue);
}

// Pages come while a consumer still has something from memory to work on. When all queues together
// are at their bound, one message at a time keeps each going.
void Router::request_load(Queue& queue) {
  if (!queue.has_turn()) return;
  const bool is_short = resident_total_ >= options_.resident_total_bytes_max;
  const std::size_t low_water = is_short ? 0 : options_.resident_count_max / 2;
  const std::size_t count_max = is_short ? 1 : options_.resident_count_max;
  const auto request =
      queue.want_load(low_water, count_max, options_.resident_bytes_max / 4, committed_through_);
  if (request) journal_.load(*request);
}

void Router::pump_backlog(Subscription& subscription) {
  while (!subscription.backlog.empty() && subscription.has_credit()) {
    Entry entry = std::move(subscription.backlog.front());
    subscription.backlog.pop_front();
    subscription.backlog_bytes -= entry.bytes();
    hand_out(subscription, std::move(entry));
  }
}

void Router::credit_came(Subscription& subscription) {
  if (subscription.ended) return;
  if (subscription.topic != nullptr) {
    pump_backlog(subscription);
    return;
  }
  subscription.queue->offer_turn(subscription);
  pump(*subscription.queue);
}

std::optional<DeliveryId> Router::next_reached(const Subscription& subscription,
                                               DeliveryId delivery, Reach reach) {
  if (subscription.in_flight.find(delivery) == nullptr) return std::nullopt;
  return reach == Reach::kOne ? delivery : subscription.in_flight.first();
}

bool Router::acknowledge(SubscriptionId id, DeliveryId delivery, Reach reach,
                         std::optional<ReceiptNumber> receipt) {
  Subscription* subscription = find(id);
  if (subscription == nullptr || subscription->in_flight.find(delivery) == nullptr) return false;
  const queue::Urgency urgency = receipt ? queue::Urgency::kNow : queue::Urgency::kRide;
  std::optional<queue::Ticket> last;
  while (const auto next = next_reached(*subscription, delivery, reach)) {
    if (const auto ticket = finish(*subscription, *next, urgency)) last = ticket;
  }
  settle(*subscription, last, receipt);
  credit_came(*subscription);
  drop_if_spent(*subscription);
  return true;
}

std::optional<queue::Ticket> Router::finish(Subscription& subscription, DeliveryId delivery,
                                            queue::Urgency urgency) {
  const Entry entry = subscription.in_flight.take(delivery);
  if (subscription.queue == nullptr) return std::nullopt;
  Queue& queue = *subscription.queue;
  queue.in_flight -= 1;
  queue.in_flight_bytes -= entry.bytes();
  queue.acknowledged += 1;
  return take_off_disk(queue, entry, subscription.ack_mode, urgency);
}

// An explicit ACK that comes while the append is pending withdraws it: nothing is written, nothing
// has to be erased, the sender's receipt is due. `auto` never withdraws: nobody has said that it
// arrived.
std::optional<queue::Ticket> Router::take_off_disk(Queue& queue, const Entry& entry, AckMode mode,
                                                   queue::Urgency urgency) {
  if (entry.storing == Storing::kMemoryOnly) return std::nullopt;
  if (mode != AckMode::kAuto && withdraw(entry)) return std::nullopt;
  const queue::Ticket ticket =
      journal_.submit(queue::Erase{queue.id(), entry.place, entry.message->id, entry.bytes(),
                                   entry.message->persistence, urgency});
  note_ticket(ticket);
  return ticket;
}

bool Router::withdraw(const Entry& entry) {
  if (entry.storing != Storing::kAlone || entry.append <= committed_through_) return false;
  if (!journal_.withdraw(entry.append)) return false;
  figures_.withdrawn += 1;
  if (entry.debt.owed()) {
    waits_.forget(entry.append);
    pay(entry.debt);
  }
  return true;
}

void Router::settle(const Subscription& subscription, std::optional<queue::Ticket> ticket,
                    std::optional<ReceiptNumber> receipt) {
  if (!receipt) return;
  const Debt debt{subscription.peer, *receipt};
  if (!ticket || *ticket <= committed_through_) {
    pay(debt);
  } else {
    waits_.add({*ticket, debt, std::nullopt, {}, 0});
  }
}

bool Router::give_back(SubscriptionId id, DeliveryId delivery, Reach reach, Seen seen,
                       std::optional<ReceiptNumber> receipt) {
  Subscription* subscription = find(id);
  if (subscription == nullptr || subscription->in_flight.find(delivery) == nullptr) return false;
  const queue::Urgency urgency = receipt ? queue::Urgency::kNow : queue::Urgency::kRide;
  std::optional<queue::Ticket> last;
  while (const auto next = next_reached(*subscription, delivery, reach)) {
    if (const auto ticket = return_one(*subscription, *next, seen, urgency)) last = ticket;
  }
  settle(*subscription, last, receipt);
  if (subscription->queue != nullptr) pump(*subscription->queue);
  credit_came(*subscription);
  drop_if_spent(*subscription);
  return true;
}

// A topic's message goes back to its own place among what waits for this subscription.
void Router::put_back(Subscription& subscription, Entry entry) {
  subscription.backlog_bytes += entry.bytes();
  const auto later =
      std::find_if(subscription.backlog.begin(), subscription.backlog.end(),
                   [&entry](const Entry& waiting) { return entry.place < waiting.place; });
  subscription.backlog.insert(later, std::move(entry));
}

// Back to its own place; the count of deliveries is kept for the next start (promise P3). Somebody
// who waits for that (promise P2) gets it as a group of one: a Return of its own is never synced
// for itself.
std::optional<queue::Ticket> Router::return_one(Subscription& subscription, DeliveryId delivery,
                                                Seen seen, queue::Urgency urgency) {
  Entry entry = subscription.in_flight.take(delivery);
  if (seen == Seen::kMaybe) {
    entry.deliveries += 1;
    entry.redelivered = true;
  }
  if (subscription.queue == nullptr) {
    if (!subscription.ended) put_back(subscription, std::move(entry));
    return std::nullopt;
  }
  Queue& queue = *subscription.queue;
  queue.in_flight -= 1;
  queue.in_flight_bytes -= entry.bytes();
  queue.returned_total += 1;
  std::optional<queue::Ticket> ticket;
  if (seen == Seen::kMaybe && entry.storing != Storing::kMemoryOnly) {
    const queue::Return kept{queue.id(), entry.place, entry.deliveries};
    ticket = urgency == queue::Urgency::kNow ? journal_.submit_together({queue::Op{kept}})
                                             : journal_.submit(kept);
    note_ticket(*ticket);
  }
  queue.push_returned(std::move(entry));
  return ticket;
}

std::optional<DeliveryId> Router::find_in_flight(SubscriptionId id,
                                                 queue::MessageId message) const {
  const Subscription* subscription = find(id);
  return subscription == nullptr ? std::nullopt : subscription->in_flight.find_message(message);
}

}  // namespace stompbox::routing

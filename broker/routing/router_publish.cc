#include <cassert>
#include <memory>
#include <utility>

#include "broker/routing/queue.h"
#include "broker/routing/router.h"
#include "broker/routing/topic.h"
#include "protocol/encoder.h"

// From a producer to a queue or topic.
namespace stompbox::routing {

bool Router::out_of_room() const {
  return disk_full_ || journal_.pending_bytes() > options_.journal_bytes_max;
}

Admission Router::admit(PeerId peer, const Draft& draft, bool asks_receipt) {
  if (!out_of_room()) return Admission::kAccept;
  const auto destination = view_destination(draft.destination);
  if (!destination || destination->kind == DestinationKind::kTopic) return Admission::kAccept;
  if (disk_full_ && asks_receipt) return Admission::kRefuse;
  const auto found = peers_.find(peer.value);
  assert(found != peers_.end());
  if (!std::exchange(found->second.waits_for_room, true)) waiting_peers_.push_back(peer);
  return Admission::kWait;
}

storage::Status Router::publish(PeerId peer, Draft draft, std::int64_t now_ms,
                                std::optional<ReceiptNumber> receipt) {
  const auto destination = view_destination(draft.destination);
  if (!destination) return destination.error();
  Queue* queue = nullptr;
  if (destination->kind == DestinationKind::kQueue) {
    auto named = queue_named(destination->name);
    if (!named) return named.error();
    queue = *named;
  }
  const Debt debt{peer, receipt.value_or(ReceiptNumber{})};
  figures_.published += 1;
  queue::MessagePtr message = make_message(std::move(draft), now_ms);
  if (queue != nullptr) {
    publish_to_queue(*queue, std::move(message), debt);
  } else {
    publish_to_topic(view_destination(message->destination)->name, message);
    pay(debt);
  }
  return storage::kOk;
}

queue::MessagePtr Router::make_message(Draft draft, std::int64_t now_ms) {
  auto message = std::make_shared<queue::Message>();
  message->id = queue::MessageId::make(epoch_, ++last_message_);
  message->destination = std::move(draft.destination);
  message->header_block = std::move(draft.header_block);
  message->block_is_plain = draft.block_is_plain;
  message->body = std::move(draft.body);
  message->persistence = draft.persistence;
  message->arrived_ms = now_ms;
  return message;
}

// A durable message is submitted before anybody sees it, so that its ticket can be withdrawn; only
// when a consumer has it in hand and nobody waits for a receipt may the write linger.
void Router::publish_to_queue(Queue& queue, queue::MessagePtr message, Debt debt) {
  Entry entry;
  entry.place = queue.next_place();
  entry.message = std::move(message);
  queue.enqueued += 1;
  Subscription* const taker = queue.nothing_waits() ? queue.next_turn() : nullptr;
  if (entry.message->persistence == queue::Persistence::kDurable) {
    const bool may_linger = taker != nullptr && taker->ack_mode != AckMode::kAuto && !debt.owed();
    entry.storing = Storing::kAlone;
    entry.debt = debt;
    entry.append =
        submit_append(queue, entry, may_linger ? queue::Urgency::kLinger : queue::Urgency::kNow);
    if (debt.owed()) {
      waits_.add({entry.append, debt, queue.id(), entry.place, entry.bytes()});
    }
  } else {
    pay(debt);
  }
  if (taker != nullptr) {
    deliver(queue, *taker, std::move(entry));
    queue.offer_turn(*taker);
  } else {
    enqueue(queue, std::move(entry));
  }
}

void Router::make_known(Queue& queue) {
  if (queue.known_to_store()) return;
  note_ticket(journal_.submit(queue::CreateQueue{queue.id(), queue.name()}));
}

queue::Ticket Router::submit_append(Queue& queue, const Entry& entry, queue::Urgency urgency) {
  make_known(queue);
  const queue::Ticket ticket =
      journal_.submit(queue::Append{queue.id(), entry.place, entry.message, urgency});
  note_ticket(ticket);
  return ticket;
}

// Behind everything that waits: in memory if there is room for it, else in the store only.
void Router::enqueue(Queue& queue, Entry entry) {
  const bool fits = queue.nothing_paged() && queue.resident_count() < options_.resident_count_max &&
                    queue.resident_bytes() < options_.resident_bytes_max &&
                    resident_total_ < options_.resident_total_bytes_max;
  if (fits) {
    queue.push_fresh(std::move(entry));
  } else {
    if (entry.storing == Storing::kMemoryOnly) {  // a volatile message is spilled, unsynced
      (void)submit_append(queue, entry, queue::Urgency::kLinger);
    }
    queue.push_paged(entry.place, entry.bytes());
  }
  pump(queue);
}

void Router::publish_to_topic(std::string_view name, const queue::MessagePtr& message) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) {
    figures_.topic_without_subscriber += 1;
    return;
  }
  Topic& topic = *found->second;
  Entry entry;
  entry.place.seq = topic.next_seq();
  entry.message = message;
  for (Subscription* subscription : topic.subscriptions()) {
    if (!subscription->started || subscription->too_slow) continue;
    if (subscription->backlog.empty() && subscription->has_credit()) {
      hand_out(*subscription, entry);
      continue;
    }
    subscription->backlog.push_back(entry);
    subscription->backlog_bytes += entry.bytes();
    if (subscription->backlog.size() > options_.topic_backlog_count_max ||
        subscription->backlog_bytes > options_.topic_backlog_bytes_max) {
      subscription->too_slow = true;
      subscription->consumer->too_slow(subscription->tag);
    }
  }
}

storage::Status Router::move_to(SubscriptionId id, DeliveryId delivery, Draft draft,
                                std::int64_t now_ms, std::optional<ReceiptNumber> receipt) {
  Subscription* subscription = find(id);
  const Entry* taken = subscription == nullptr ? nullptr : subscription->in_flight.find(delivery);
  if (taken == nullptr) {
    return storage::Error{storage::ErrorCode::kNotFound, "that message is not in flight any more"};
  }
  const auto view = view_destination(draft.destination);
  if (!view) return view.error();
  if (out_of_room()) {
    return storage::Error{storage::ErrorCode::kFull,
                          "the broker's disk has no room for the message now"};
  }
  if (view->kind == DestinationKind::kTopic) {
    auto published = publish(subscription->peer, std::move(draft), now_ms, std::nullopt);
    if (!published) return published;
    settle(*subscription, finish(*subscription, delivery, queue::Urgency::kNow), receipt);
    return storage::kOk;
  }
  auto target = queue_named(view->name);
  if (!target) return target.error();
  make_known(**target);
  Queue& source = *subscription->queue;
  const Entry old = subscription->in_flight.take(delivery);
  source.in_flight -= 1;
  source.in_flight_bytes -= old.bytes();
  source.acknowledged += 1;

  Entry entry;
  entry.place = (*target)->next_place();
  entry.message = make_message(std::move(draft), now_ms);
  entry.storing = Storing::kTogether;
  std::vector<queue::Op> ops;
  ops.emplace_back(
      queue::Append{(*target)->id(), entry.place, entry.message, queue::Urgency::kNow});
  // Withdrawing would make its sender's receipt due, and the new append is not on the disk yet.
  const bool nobody_waits = !old.debt.owed();
  if (old.storing != Storing::kMemoryOnly && !(nobody_waits && withdraw(old))) {
    ops.emplace_back(queue::Erase{source.id(), old.place, old.message->id, old.bytes(),
                                  old.message->persistence, queue::Urgency::kNow});
  }
  const queue::Ticket ticket = journal_.submit_together(std::move(ops));
  note_ticket(ticket);
  settle(*subscription, ticket, receipt);
  (*target)->enqueued += 1;
  enqueue(**target, std::move(entry));
  credit_came(*subscription);
  drop_if_spent(*subscription);
  return storage::kOk;
}

bool Router::dead_letter(SubscriptionId id, DeliveryId delivery, const DeadLetterReason& reason,
                         std::int64_t now_ms) {
  const Subscription* subscription = find(id);
  const Entry* entry = subscription == nullptr ? nullptr : subscription->in_flight.find(delivery);
  if (entry == nullptr) return false;
  const queue::Message& message = *entry->message;
  Draft draft;
  draft.destination = "/queue/" + options_.dead_letter_queue;
  // First of a name wins (fact A11): ours stand before those of an earlier death.
  const auto add = [&draft](std::string_view name, std::string_view value) {
    protocol::append_header(draft.header_block, protocol::Version::k12, name, value);
    draft.block_is_plain = draft.block_is_plain && !protocol::needs_escape(value);
  };
  add("dead-letter-reason", reason.kind);
  add("dead-letter-detail", reason.detail);
  add("original-destination", message.destination);
  add("original-message-id",
      std::to_string(message.id.epoch()) + "-" + std::to_string(message.id.counter()));
  draft.header_block.append(message.header_block);
  draft.block_is_plain = draft.block_is_plain && message.block_is_plain;
  draft.body = message.body;  // the one copy of a body: it stands under another name from here on
  draft.persistence = queue::Persistence::kDurable;
  if (!move_to(id, delivery, std::move(draft), now_ms, std::nullopt)) return false;
  figures_.dead_lettered += 1;
  return true;
}

}  // namespace stompbox::routing

#include <algorithm>
#include <cassert>
#include <memory>
#include <utility>

#include "broker/routing/batch.h"
#include "broker/routing/drainage.h"
#include "broker/routing/routed_queue.h"
#include "broker/routing/router.h"
#include "broker/routing/temporary.h"

// From a producer to a queue or topic: one message, one destination. What has to happen together
// stands in router_batch.cc.
namespace stompbox::routing {

bool Router::out_of_room() const {
  return disk_full_ || journal_.pending_bytes() > options_.journal_bytes_max;
}

bool Router::is_full(const RoutedQueue& queue) const {
  const Policy& policy = queue.care.policy;
  if (policy.messages_max > 0 && queue.waiting_count() + queue.in_flight >= policy.messages_max) {
    return true;
  }
  return policy.bytes_max > 0 && queue.total_bytes() >= policy.bytes_max;
}

// Whoever has something of a queue in hand must be heard: its ACKs make the room.
bool Router::holds_some_of(PeerId peer, const RoutedQueue& queue) const {
  const auto found = peers_.find(peer.value);
  assert(found != peers_.end());
  return std::any_of(found->second.subscriptions.begin(), found->second.subscriptions.end(),
                     [this, &queue](SubscriptionId id) {
                       const Subscription* subscription = find(id);
                       bool holds = false;
                       subscription->in_flight.for_each([&queue, &holds](const Entry& entry) {
                         holds = holds || entry.home == &queue;
                       });
                       return holds;
                     });
}

void Router::wait_for_room(PeerId peer, RoutedQueue* queue) {
  if (queue != nullptr) {
    wait_for_room_in(*queue, peer, {});
    return;
  }
  Peer& waiting = peers_.at(peer.value);
  if (!std::exchange(waiting.waits_for_room, true)) waiting_peers_.push_back(peer);
}

void Router::room_in(RoutedQueue& queue) {
  if (!queue.care.waiting_senders.empty()) tell_senders(queue, Told::kWhoFits);
}

Admission Router::admit(PeerId peer, const Draft& draft, bool asks_receipt) {
  const bool no_room = out_of_room();
  if (!no_room && !has_bounds_) return Admission::kAccept;
  const auto view = view_destination(draft.destination, *options_.profile);
  // A composite, or what will be refused for another reason.
  if (!view)
    return no_room && is_composite(draft.destination) ? refuse_or_wait(peer, asks_receipt)
                                                      : Admission::kAccept;
  if (no_room && takes_room(peer, draft, *view)) return refuse_or_wait(peer, asks_receipt);
  const std::string name = internal_name(*view, owner_name(peer));
  RoutedQueue* const queue = is_topic(view->kind) ? full_durable(peer, name) : find_queue(name);
  if (queue == nullptr || !is_closed_to(peer, *queue)) return Admission::kAccept;
  if (asks_receipt) return Admission::kRefuse;
  wait_for_room(peer, queue);
  return Admission::kWait;
}

// Whether it is kept, in the journal or behind something that is.
bool Router::takes_room(PeerId peer, const Draft& draft, const DestinationView& view) const {
  const bool is_kept = draft.schedule || (topics_.durable_count() > 0 &&
                                          draft.persistence == queue::Persistence::kDurable);
  return !is_topic(view.kind) || is_kept || has_hidden_posts(peer);
}

bool Router::is_closed_to(PeerId peer, const RoutedQueue& queue) const {
  return queue.care.policy.when_full != WhenFull::kDropOldest && is_full(queue) &&
         !holds_some_of(peer, queue);
}

// A durable subscription that would keep what is sent to that topic and is full.
RoutedQueue* Router::full_durable(PeerId peer, std::string_view topic_name) {
  const Topic* const topic = topics_.find(topic_name);
  if (topic == nullptr) return nullptr;
  for (const Topic::DurableTaker& durable : topic->durables()) {
    if (is_closed_to(peer, *durable.queue)) return durable.queue;
  }
  return nullptr;
}

Admission Router::refuse_or_wait(PeerId peer, bool asks_receipt) {
  if (disk_full_ && asks_receipt) return Admission::kRefuse;
  wait_for_room(peer, nullptr);
  return Admission::kWait;
}

storage::Status Router::publish(PeerId peer, Draft draft, std::int64_t now_ms,
                                std::optional<ReceiptNumber> receipt) {
  set_clock(now_ms);
  const Debt debt{peer, receipt.value_or(ReceiptNumber{})};
  const auto view = view_destination(draft.destination, *options_.profile);
  const bool needs_a_group = draft.schedule || (!view && is_composite(draft.destination));
  if (needs_a_group) return publish_together(peer, std::move(draft), debt);
  if (!view) return view.error();
  return publish_to(peer, *view, std::move(draft), debt);
}

storage::Status Router::publish_to(PeerId peer, const DestinationView& view, Draft&& draft,
                                   const Debt& debt) {
  if (view.has_wildcards) {
    return storage::Error{storage::ErrorCode::kInvalid,
                          "a message cannot be sent to a name with wildcards"};
  }
  const Intake intake{draft.priority, draft.has_group};
  if (!is_topic(view.kind)) {
    auto queue = queue_of(peer, view);
    if (!queue) return queue.error();
    figures_.published += 1;
    (*queue)->expect_like({draft.header_block, draft.block_is_plain});
    queue::MessagePtr message = make_message(std::move(draft), *queue);
    (*queue)->prepare_expected();
    publish_to_queue(**queue, std::move(message), intake, debt);
    return storage::kOk;
  }
  auto name = topic_of(peer, view);
  if (!name) return name.error();
  if (*name == kScheduleTopic) {
    return manage_schedule(draft, debt);
  }
  if (auto checked = check_topic(*name, draft); !checked) return checked;
  figures_.published += 1;
  const Retain retain = draft.retain;
  const TopicPost post{*name, make_message(std::move(draft), nullptr), peer, retain};
  publish_to_topic(post, intake, debt);
  return storage::kOk;
}

storage::Status Router::check_topic(std::string_view name, const Draft& draft) const {
  if (draft.retain != Retain::kSet) return storage::kOk;
  const std::size_t bytes = draft.body.size() + draft.header_block.size() + 64;
  return retained_.has_room(name, bytes);
}

queue::MessagePtr Router::make_message(Draft draft, const RoutedQueue* queue) {
  const std::shared_ptr<queue::Message> message = pool_->take();
  // Moving would leave a small text in the memory of what was large before it.
  message->destination.swap(draft.destination);
  message->header_block.swap(draft.header_block);
  message->body.swap(draft.body);
  message->block_is_plain = draft.block_is_plain;
  message->persistence = draft.persistence;
  message->expires_ms = draft.expires_ms;
  if (queue != nullptr) {
    if (queue->care.is_temporary) message->persistence = queue::Persistence::kVolatile;
    message->expires_ms = expiry_in(*queue, draft.expires_ms);
  }
  set_arrival(*message, draft.first_arrival);
  return message;
}

// An old one is kept, but for the id of an earlier life on what is volatile now: the store takes
// that for something which it has to forget.
void Router::set_arrival(queue::Message& message, const std::optional<FirstArrival>& first) {
  const bool keeps_id =
      first && (message.persistence == queue::Persistence::kDurable || first->id.epoch() == epoch_);
  message.id = keeps_id ? first->id : queue::MessageId::make(epoch_, ++last_message_);
  message.arrived_ms = first ? first->arrived_ms : now_ms_;
}

// As its sender wishes, and as the policy of the queue says at the latest.
std::int64_t Router::expiry_in(const RoutedQueue& queue, std::int64_t expires_ms) const {
  const std::int64_t age_max = queue.care.policy.age_max.count();
  if (age_max <= 0) return expires_ms;
  return expires_ms == 0 ? now_ms_ + age_max : std::min(expires_ms, now_ms_ + age_max);
}

// A durable message is submitted before anybody sees it, so that its ticket can be withdrawn; only
// when a consumer has it in hand and nobody waits for a receipt may the write linger.
void Router::publish_to_queue(RoutedQueue& queue, queue::MessagePtr message, Intake intake,
                              Debt debt) {
  Entry entry;
  entry.home = &queue;
  entry.place = queue.next_place(intake.priority);
  entry.message = std::move(message);
  entry.grouped = intake.grouped;
  queue.enqueued += 1;
  queue.care.last_use_ms = now_ms_;
  queue.care.restless_since_ms = now_ms_;
  if (is_expired(*entry.message)) {
    Batch batch;
    bury_expired(batch, std::move(entry));
    batch.debts.push_back(debt);
    submit(std::move(batch));
    return;
  }
  if (!queue.care.followers.empty()) tell_followers(queue, entry);
  Seat* const taker = queue.taker_for(entry);
  if (entry.message->persistence == queue::Persistence::kDurable) {
    const bool may_linger =
        taker != nullptr && taker->subscription->ack_mode != AckMode::kAuto && !debt.owed();
    entry.storing = Storing::kAlone;
    entry.debt = debt;
    entry.append =
        submit_append(queue, entry, may_linger ? queue::Urgency::kLinger : queue::Urgency::kNow);
    entry.stored_by = entry.append;
    if (debt.owed()) {
      waits_.add({entry.append, debt, queue.id(), entry.place, entry.bytes()});
    }
  } else {
    pay(debt);
  }
  if (taker != nullptr) {
    deliver(queue, *taker, std::move(entry));
  } else {
    enqueue(queue, std::move(entry));
  }
}

queue::CreateQueue Router::introduction(const RoutedQueue& queue) {
  return {queue.id(), queue.name(), queue.care.attributes};
}

void Router::make_known(RoutedQueue& queue) {
  if (queue.known_to_store()) return;
  note_ticket(journal_.submit(introduction(queue)));
}

queue::Ticket Router::submit_append(RoutedQueue& queue, const Entry& entry,
                                    queue::Urgency urgency) {
  make_known(queue);
  const queue::Ticket ticket =
      journal_.submit(queue::Append{queue.id(), entry.place, entry.message, urgency});
  note_ticket(ticket);
  return ticket;
}

// Behind everything that waits: in memory if there is room for it, else in the store only.
void Router::enqueue(RoutedQueue& queue, Entry entry) {
  if (!queue.keep(entry)) {
    if (entry.storing == Storing::kMemoryOnly) {  // a volatile message is spilled, unsynced
      (void)submit_append(queue, entry, queue::Urgency::kLinger);
    }
    queue.push_paged(entry);
  }
  if (has_bounds_) make_room(queue);
  pump(queue);
}

// The oldest make room where the policy says so.
void Router::make_room(RoutedQueue& queue) {
  const Policy& policy = queue.care.policy;
  if (policy.when_full != WhenFull::kDropOldest) return;
  const auto is_beyond = [&queue, &policy] {
    const bool many =
        policy.messages_max > 0 && queue.waiting_count() + queue.in_flight > policy.messages_max;
    return many || (policy.bytes_max > 0 && queue.total_bytes() > policy.bytes_max);
  };
  while (queue.waiting_count() > 0 && is_beyond()) {
    const auto oldest = queue.drop_oldest();
    if (!oldest) {
      start_drain(queue, make_room_drainage(), 1);
      return;
    }
    count_dropped(queue);
    erase(*oldest, queue::Urgency::kRide);
  }
}

// What the queue's own figures count goes with the queue; the router's are since the start.
void Router::count_dropped(RoutedQueue& queue) {
  queue.care.dropped += 1;
  figures_.queue_dropped += 1;
}

// Takes it off the disk; the receipt of its SEND, if one is due, comes as if it had stayed.
void Router::erase(const Entry& entry, queue::Urgency urgency) {
  if (entry.storing == Storing::kMemoryOnly) return;
  const queue::Ticket ticket =
      journal_.submit(queue::Erase{entry.home->id(), entry.place, entry.message->id, entry.bytes(),
                                   entry.message->persistence, urgency});
  note_ticket(ticket);
  entry.home->on_erase(entry.place, ticket);
}

}  // namespace stompbox::routing

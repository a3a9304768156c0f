#include <algorithm>
#include <utility>

#include "broker/routing/batch.h"
#include "broker/routing/browse.h"
#include "broker/routing/drainage.h"
#include "broker/routing/routed_queue.h"
#include "broker/routing/router.h"
#include "broker/routing/temporary.h"

// What an operator asks for.
namespace stompbox::routing {
namespace {

constexpr std::size_t kMessagesOfABatch = 256;
constexpr std::size_t kMovedBytesOfABatch = 1024 * 1024;  // or one message

storage::Error no_such_queue(std::string_view name) {
  return {storage::ErrorCode::kNotFound, "there is no queue '" + std::string(name) + "'"};
}

storage::Error is_busy(std::string_view name) {
  return {storage::ErrorCode::kBusy,
          "the queue '" + std::string(name) + "' is being purged or moved already"};
}

}  // namespace

void Router::purge(std::string_view name, Done done) {
  RoutedQueue* const queue = find_queue(name);
  if (queue == nullptr) return done(no_such_queue(name));
  if (queue->care.drainages > 0) return done(is_busy(name));
  Drainage purge;
  purge.purpose = Drainage::Purpose::kPurge;
  purge.done = std::move(done);
  start_drain(*queue, std::move(purge), queue->waiting_count());
}

void Router::remove_queue(std::string_view name, Done done) {
  RoutedQueue* const queue = find_queue(name);
  if (queue == nullptr) return done(no_such_queue(name));
  if (queue->subscription_count > 0 || queue->in_flight > 0) {
    return done(storage::Error{storage::ErrorCode::kInvalid,
                               "the queue '" + std::string(name) + "' has consumers"});
  }
  const std::uint64_t count = queue->waiting_count();
  if (queue->is_known_to_store()) {
    std::vector<queue::Op> drop;
    drop.emplace_back(queue::DropQueue{queue->id()});
    note_ticket(journal_.submit_together(std::move(drop)));
  }
  forget_queue(*queue);
  report_when_stored(count, Contents::kRemovals, std::move(done));
}

void Router::move_messages(std::string_view from, const Destination& to, std::uint64_t count_max,
                           Done done) {
  RoutedQueue* const queue = find_queue(from);
  if (queue == nullptr) return done(no_such_queue(from));
  if (queue->care.drainages > 0) return done(is_busy(from));
  const bool is_possible =
      (to.kind == DestinationKind::kQueue && to.name != from) || to.kind == DestinationKind::kTopic;
  if (!is_possible || to.has_wildcards) {
    return done(storage::Error{storage::ErrorCode::kInvalid,
                               "messages can be moved to another queue or to a topic"});
  }
  const DestinationView view{to.kind, to.name, false};
  if (auto target = target_of({}, view); !target) return done(target.error());
  Drainage move;
  move.purpose = Drainage::Purpose::kMove;
  move.target = to;
  move.done = std::move(done);
  start_drain(*queue, std::move(move), std::min(count_max, queue->waiting_count()));
}

Router::Drainage Router::make_room_drainage() {
  Drainage drainage;
  drainage.purpose = Drainage::Purpose::kMakeRoom;
  drainage.done = [](const storage::Result<std::uint64_t>&) {};
  return drainage;
}

Router::Drainage Router::bound_letters_drainage() {
  Drainage drainage = make_room_drainage();
  drainage.purpose = Drainage::Purpose::kBoundLetters;
  return drainage;
}

void Router::start_drain(RoutedQueue& queue, Drainage drainage, std::uint64_t count_max) {
  if (queue.care.drainages > 0) return;
  if (count_max == 0) return drainage.done(std::uint64_t{0});
  queue.care.drainages = 1;
  drainages_[queue.id().value] = std::make_unique<Drainage>(std::move(drainage));
  queue.drain(count_max);
  pump(queue);
}

// A batch at a time, each all or nothing. What comes next from the store comes by pump(). Two
// queues that are moved into each other come back here in the middle: only the outermost goes on.
void Router::continue_drain(RoutedQueue& queue) {
  Drainage& drainage = *drainages_.at(queue.id().value);
  if (std::exchange(drainage.is_at_work, true)) return;
  const bool moves = drainage.purpose == Drainage::Purpose::kMove;
  const auto has_room = [this, moves] { return !moves || !out_of_room(); };
  while (has_room() && drain_a_batch(queue, drainage) > 0) {
  }
  drainage.is_at_work = false;
  if (queue.drain_is_over()) return end_drain(queue);
  if (moves && disk_full_) break_off_move(queue);
}

std::size_t Router::drain_a_batch(RoutedQueue& queue, Drainage& drainage) {
  Batch batch;
  batch.returns_ride = false;
  std::size_t count = 0;
  std::size_t moved_bytes = 0;
  while (count < kMessagesOfABatch && moved_bytes < kMovedBytesOfABatch) {
    auto entry = queue.next_drained(committed_through_);
    if (!entry) break;
    entry->home = &queue;
    if (drainage.purpose == Drainage::Purpose::kMove) moved_bytes += entry->bytes();
    drain_one(batch, drainage, std::move(*entry));
    count += 1;
  }
  drainage.count += count;
  batch.touched.clear();
  submit(std::move(batch));
  return count;
}

// What is moved is written anew, so a move waits like any sender while the journal is full.
void Router::go_on_moving() {
  std::vector<queue::QueueId> moving;
  for (const auto& [id, drainage] : drainages_) {
    if (drainage->purpose == Drainage::Purpose::kMove) moving.push_back({id});
  }
  for (const queue::QueueId id : moving) {
    RoutedQueue* const queue = find_queue(id);
    if (queue != nullptr && queue->care.drainages > 0) pump(*queue);
  }
}

// The disk is full, and the queue's consumers, who may make room, get nothing during a move.
void Router::break_off_move(RoutedQueue& queue) {
  const auto found = drainages_.find(queue.id().value);
  const std::unique_ptr<Drainage> drainage = std::move(found->second);
  drainages_.erase(found);
  queue.care.drainages = 0;
  queue.drain(0);
  room_in(queue);
  drainage->done(storage::Error{
      storage::ErrorCode::kFull,
      "the broker's disk is full: " + std::to_string(drainage->count) + " messages were moved"});
}

void Router::drain_one(Batch& batch, Drainage& drainage, Entry entry) {
  switch (drainage.purpose) {
    case Drainage::Purpose::kPurge: break;
    case Drainage::Purpose::kMakeRoom: count_dropped(routed(*entry.home)); break;
    case Drainage::Purpose::kBoundLetters: count_dropped_letter(routed(*entry.home)); break;
    case Drainage::Purpose::kMove: return move_one(batch, drainage, std::move(entry));
  }
  add_erase(batch, entry);
}

void Router::move_one(Batch& batch, Drainage& drainage, Entry entry) {
  const DestinationView view{drainage.target.kind, drainage.target.name, false};
  auto target = target_of({}, view);
  if (!target) {  // there is no room for such a queue any more: it stays
    entry.home->push_returned(std::move(entry));
    drainage.count -= 1;
    return;
  }
  const queue::Message& message = *entry.message;
  Draft draft;
  draft.destination = target->destination;
  draft.header_block = message.header_block;
  draft.block_is_plain = message.block_is_plain;
  draft.body = message.body;
  draft.persistence = message.persistence;
  draft.priority = entry.place.priority;
  draft.expires_ms = message.expires_ms;
  draft.has_group = entry.grouped;
  draft.first_arrival = FirstArrival{message.id, message.arrived_ms};
  std::vector<Target> targets;
  targets.push_back(std::move(*target));
  add_send(batch, {}, targets, std::move(draft));
  add_erase(batch, entry);
}

void Router::end_drain(RoutedQueue& queue) {
  const auto found = drainages_.find(queue.id().value);
  if (found == drainages_.end()) return;
  const std::unique_ptr<Drainage> drainage = std::move(found->second);
  drainages_.erase(found);
  queue.care.drainages = 0;
  room_in(queue);
  const bool moves = drainage->purpose == Drainage::Purpose::kMove;
  report_when_stored(drainage->count, moves ? Contents::kAppends : Contents::kRemovals,
                     std::move(drainage->done));
  // A page has come meanwhile, and more of it may have to go.
  if (drainage->purpose == Drainage::Purpose::kMakeRoom) make_room(queue);
  if (drainage->purpose == Drainage::Purpose::kBoundLetters) bound_letters(queue);
}

void Router::reset(Done done) {
  const std::uint64_t count = reset_queues() + schedule_.count();
  retained_.clear();
  hidden_posts_.clear();
  hidden_shows_.clear();
  forget_all_jobs();
  for (const SubscriptionSlot& slot : subscriptions_) {
    if (slot.subscription != nullptr) clear_backlog(*slot.subscription);
  }
  report_when_stored(count, Contents::kRemovals, std::move(done));
}

// Queues that somebody is subscribed to are made anew, with the same subscriptions.
std::uint64_t Router::reset_queues() {
  std::vector<std::pair<SubscriptionId, std::string>> seated;
  for (const SubscriptionSlot& slot : subscriptions_) {
    if (slot.subscription == nullptr) continue;
    slot.subscription->in_flight.forget_homes();
    for (Seat& seat : slot.subscription->seats) {
      seat.queue->remove_consumer(seat);
      if (!slot.subscription->ended) seated.emplace_back(slot.subscription->id, seat.queue->name());
    }
    slot.subscription->seats.clear();
  }
  std::unordered_map<std::string, DurableFilter> filters;
  for (const auto& [name, queue] : queues_) {
    if (const DurableFilter* filter = topics_.durable(*queue)) filters.emplace(name, *filter);
  }
  const std::uint64_t count = drop_all_queues();
  for (const auto& [id, name] : seated) {
    const auto made = queue_named(name);
    if (!made) continue;  // there were no more of them before
    seat_anew(*find(id), **made);
    const auto filter = filters.find(name);
    if (filter == filters.end() || topics_.durable(**made) != nullptr) continue;
    (*made)->care.attributes = filter->second.interest().to_attributes();
    make_known(**made);
    topics_.set_durable(**made, filter->second);
  }
  return count;
}

std::uint64_t Router::drop_all_queues() {
  std::uint64_t count = 0;
  std::vector<queue::Op> drops;
  for (const auto& [name, queue] : queues_) {
    count += queue->waiting_count();
    if (queue->is_known_to_store()) drops.emplace_back(queue::DropQueue{queue->id()});
  }
  if (!drops.empty()) note_ticket(journal_.submit_together(std::move(drops)));
  while (!queues_.empty())
    forget_queue(*queues_.begin()->second);
  return count;
}

void Router::seat_anew(Subscription& subscription, RoutedQueue& queue) {
  queue.offer_turn(seat_at(subscription, queue));
  if (!subscription.browses) return;
  Browser& browser = *browsers_.at(subscription.id.value);
  browser.queue = queue.id();
  browser.page.clear();
  browser.loading = false;
  if (browser.browsing == Browsing::kFollow) queue.care.followers.push_back(subscription.id);
}

}  // namespace stompbox::routing

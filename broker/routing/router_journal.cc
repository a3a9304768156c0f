#include <cassert>
#include <map>
#include <utility>

#include "broker/routing/browse.h"
#include "broker/routing/queue.h"
#include "broker/routing/router.h"
#include "broker/routing/subscription.h"

// What the journal says: batches that are committed, pages that were loaded, a disk that is full.
namespace stompbox::routing {

void Router::on_commit(const queue::CommitReport& report) {
  if (report.through > committed_through_) committed_through_ = report.through;
  while (const auto debt = waits_.pop(committed_through_))
    pay(*debt);
  const bool was_full = std::exchange(disk_full_, report.disk_full);
  if (disk_full_ && !was_full) refuse_waiting_appends();
  for (Queue* queue : std::exchange(waiting_for_commit_, {})) {
    queue->commit_came();
    request_load(*queue);
  }
  if (!waiting_peers_.empty() && !out_of_room()) tell_room();
}

void Router::tell_room() {
  for (const PeerId peer : std::exchange(waiting_peers_, {})) {
    const auto found = peers_.find(peer.value);
    if (found == peers_.end()) continue;
    found->second.waits_for_room = false;
    found->second.consumer->room_again();
  }
}

// The disk is full: who waits for the receipt of an append is told so, and the message is taken
// back wherever it still waits. One that a consumer already has in hand stays with it, in memory.
void Router::refuse_waiting_appends() {
  const storage::Error error{storage::ErrorCode::kFull,
                             "the broker's disk is full: the message was not stored"};
  for (const ReceiptWaits::Wait& wait : waits_.take_appends()) {
    if (!journal_.withdraw(wait.ticket)) {  // it is being written after all
      waits_.put_back(wait);
      continue;
    }
    take_back(*queues_by_id_.at(wait.queue->value), wait);
    if (Consumer* consumer = consumer_of(wait.debt.peer)) {
      consumer->refused(wait.debt.receipt, error);
    }
  }
}

void Router::take_back(Queue& queue, const ReceiptWaits::Wait& wait) {
  if (queue.remove_waiting(wait.place)) return;
  if (queue.is_paged(wait.place)) {
    queue.remove_paged(wait.bytes);
    return;
  }
  for (const SubscriptionSlot& slot : subscriptions_) {
    if (slot.subscription == nullptr || slot.subscription->queue != &queue) continue;
    if (slot.subscription->in_flight.forget_store(wait.place)) return;
  }
}

void Router::on_loaded(queue::LoadedPage page) {
  if (page.tag != 0) {
    finish_browse(page.tag, std::move(page));
    return;
  }
  const auto found = queues_by_id_.find(page.queue.value);
  assert(found != queues_by_id_.end());
  Queue& queue = *found->second;
  if (page.error) figures_.last_load_error = page.error->text;
  queue.on_loaded(page, committed_through_, last_submitted_);
  if (queue.waits_for_commit()) waiting_for_commit_.push_back(&queue);
  pump(queue);
}

void Router::browse(std::string_view name, queue::Place from, std::size_t count_max,
                    std::function<void(BrowsePage)> done) {
  const Queue* queue = find_queue(name);
  if (queue == nullptr) {
    BrowsePage page;
    page.error = storage::Error{storage::ErrorCode::kNotFound,
                                "there is no queue '" + std::string(name) + "'"};
    done(std::move(page));
    return;
  }
  if (queue->nothing_paged()) {
    done(browse_memory(*queue, from, count_max));
    return;
  }
  const std::uint64_t tag = ++last_browse_;
  auto browse = std::make_unique<Browse>();
  *browse = Browse{queue->id(), from, count_max, std::move(done)};
  browses_.emplace(tag, std::move(browse));
  queue::LoadRequest request{queue->id(), from, count_max, options_.resident_bytes_max, tag};
  journal_.load(request);
}

// What is in memory may not be in the store yet, or never will be; what is paged is in the store
// only.
BrowsePage Router::browse_memory(const Queue& queue, queue::Place from,
                                 std::size_t count_max) const {
  std::map<queue::Place, BrowsedMessage> found;
  const auto note = [&found, from](const Entry& entry, bool in_flight) {
    if (entry.place < from) return;
    found.emplace(entry.place,
                  BrowsedMessage{entry.place, entry.message, entry.deliveries, in_flight});
  };
  for (const auto& [place, entry] : queue.returned())
    note(entry, false);
  for (const Entry& entry : queue.fresh())
    note(entry, false);
  for (const Subscription* subscription : queue.consumers()) {
    subscription->in_flight.for_each([&note](const Entry& entry) { note(entry, true); });
  }
  BrowsePage page;
  for (auto& [place, message] : found) {
    if (page.messages.size() == count_max) {
      page.next = place;
      break;
    }
    page.messages.push_back(std::move(message));
  }
  return page;
}

void Router::finish_browse(std::uint64_t tag, queue::LoadedPage loaded) {
  const auto found = browses_.find(tag);
  if (found == browses_.end()) return;
  const std::unique_ptr<Browse> browse = std::move(found->second);
  browses_.erase(found);
  const Queue& queue = *queues_by_id_.at(browse->queue.value);
  BrowsePage page = browse_memory(queue, browse->from, browse->count_max);
  page.error = std::move(loaded.error);
  std::map<queue::Place, BrowsedMessage> all;
  for (BrowsedMessage& message : page.messages) {
    const queue::Place place = message.place;
    all.emplace(place, std::move(message));
  }
  std::optional<queue::Place> end = page.next;
  for (queue::LoadedMessage& message : loaded.messages) {
    all.emplace(message.place, BrowsedMessage{message.place, std::move(message.message),
                                              message.deliveries, false});
  }
  if (loaded.more && !loaded.messages.empty()) {
    queue::Place after = loaded.messages.back().place;
    after.seq.value += 1;
    if (!end || after < *end) end = after;
  }
  page.messages.clear();
  page.next = end;
  for (auto& [place, message] : all) {
    if (end && !(place < *end)) break;
    if (page.messages.size() == browse->count_max) {
      page.next = place;
      break;
    }
    page.messages.push_back(std::move(message));
  }
  browse->done(std::move(page));
}

}  // namespace stompbox::routing

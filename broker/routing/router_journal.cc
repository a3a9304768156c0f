#include <algorithm>
#include <cassert>
#include <utility>

#include "broker/routing/batch.h"
#include "broker/routing/browse.h"
#include "broker/routing/routed_queue.h"
#include "broker/routing/router.h"
#include "broker/routing/subscription.h"

// What the journal says: batches that are committed, pages that were loaded, a disk that is full.
namespace stompbox::routing {

void Router::on_commit(const queue::CommitReport& report) {
  if (report.through > committed_through_) committed_through_ = report.through;
  removed_through_ = std::max({removed_through_, committed_through_, report.removals_through});
  while (const auto debt = waits_.pop(committed_through_))
    pay(*debt);
  while (const auto debt = removal_waits_.pop(removed_through_))
    pay(*debt);
  const bool was_full = std::exchange(disk_full_, report.disk_full);
  if (disk_full_ && !was_full) refuse_waiting_appends();
  release_hidden_posts();
  release_hidden_shows();
  for (const queue::QueueId id : std::exchange(waiting_for_commit_, {})) {
    RoutedQueue* const queue = find_queue(id);
    if (queue == nullptr) continue;
    queue->listed_for_commit = false;
    queue->on_committed(committed_through_);
    pump(*queue);
  }
  for (Job& job : std::exchange(unwritten_jobs_, {}))
    schedule_.add(std::move(job));
  if (now_ms_ != 0) do_due_jobs();
  if (!drainages_.empty() && (disk_full_ || !out_of_room())) go_on_moving();
  if (!waiting_peers_.empty() && !out_of_room()) tell_room();
  if (!reports_.empty()) tell_reports();
}

void Router::report_when_stored(std::uint64_t count, Contents contents, Done done) {
  reports_.push_back({last_submitted_, contents, count, std::move(done)});
  tell_reports();
}

// What is told may ask for more.
void Router::tell_reports() {
  std::vector<Report> due;
  std::erase_if(reports_, [this, &due](Report& report) {
    const bool removes = report.contents == Contents::kRemovals;
    if (report.ticket > (removes ? removed_through_ : committed_through_)) return false;
    due.push_back(std::move(report));
    return true;
  });
  for (const Report& report : due)
    report.done(report.count);
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
    if (RoutedQueue* queue = find_queue(*wait.queue)) take_back(*queue, wait);
    if (Consumer* consumer = consumer_of(wait.debt.peer)) {
      consumer->refused(wait.debt.receipt, error);
    }
  }
}

void Router::take_back(RoutedQueue& queue, const ReceiptWaits::Wait& wait) {
  if (queue.remove_waiting(wait.place)) return;
  if (queue.is_paged(wait.place)) {
    queue.remove_paged(wait.place, wait.bytes);
    return;
  }
  for (const SubscriptionSlot& slot : subscriptions_) {
    if (slot.subscription == nullptr) continue;
    if (slot.subscription->in_flight.forget_store(queue, wait.place)) return;
  }
}

void Router::on_loaded(queue::LoadedPage page) {
  if (page.queue == schedule_queue_) {
    page.tag == UINT64_MAX ? on_jobs_found(std::move(page)) : on_job_page(std::move(page));
    return;
  }
  if (page.tag != 0) {
    finish_browse(page.tag, std::move(page));
    return;
  }
  RoutedQueue* const queue = find_queue(page.queue);
  if (queue == nullptr) return;  // it was dropped meanwhile
  if (page.error) figures_.last_load_error = page.error->text;
  queue->on_loaded(page, committed_through_, last_submitted_);
  pump(*queue);
}

}  // namespace stompbox::routing

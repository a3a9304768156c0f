#include "tests/support/fake_journal.h"

#include <algorithm>
#include <cassert>
#include <utility>
#include <variant>

namespace stompbox::testing {

queue::Ticket FakeJournal::submit(queue::Op op) {
  Submission submission;
  submission.is_single_append = std::holds_alternative<queue::Append>(op);
  submission.ops.push_back(std::move(op));
  pending_.emplace(++last_ticket_, std::move(submission));
  return {last_ticket_};
}

queue::Ticket FakeJournal::submit_together(std::vector<queue::Op> ops) {
  group_count_ += 1;
  pending_.emplace(++last_ticket_, Submission{.ops = std::move(ops), .is_single_append = false});
  return {last_ticket_};
}

bool FakeJournal::withdraw(queue::Ticket append) {
  const auto at = pending_.find(append.value);
  if (at == pending_.end() || !at->second.is_single_append) return false;
  pending_.erase(at);
  return true;
}

std::uint64_t FakeJournal::pending_bytes() const {
  std::uint64_t bytes = extra_pending_bytes_;
  for (const auto& [ticket, submission] : pending_) {
    for (const queue::Op& op : submission.ops) {
      if (const auto* append = std::get_if<queue::Append>(&op)) bytes += append->message->bytes();
    }
  }
  return bytes;
}

bool FakeJournal::must_wait(const std::vector<queue::Op>& ops) const {
  return disk_ == Disk::kFull && std::any_of(ops.begin(), ops.end(), [](const queue::Op& op) {
           return std::holds_alternative<queue::Append>(op);
         });
}

queue::CommitReport FakeJournal::commit() {
  queue::CommitReport report;
  report.through = {last_ticket_};
  for (auto at = pending_.begin(); at != pending_.end();) {
    if (must_wait(at->second.ops)) {
      report.through.value = std::min(report.through.value, at->first - 1);
      ++at;
      continue;
    }
    for (const queue::Op& op : at->second.ops)
      apply(op);
    at = pending_.erase(at);
  }
  report.removals_through = {last_ticket_};
  report.disk_full = disk_ == Disk::kFull;
  report.pending_bytes = pending_bytes();
  return report;
}

void FakeJournal::apply(const queue::Op& op) {
  if (const auto* create = std::get_if<queue::CreateQueue>(&op)) {
    last_queue_ = std::max(last_queue_, create->queue);
    QueueOnDisk& queue = queues_[create->queue];
    queue.name = create->name;
    queue.attributes = create->attributes;
  } else if (const auto* append = std::get_if<queue::Append>(&op)) {
    const auto queue = queues_.find(append->queue);
    assert(queue != queues_.end());
    queue->second.messages[append->place] = {.message = append->message, .deliveries = 0};
    queue::Seq& last = queue->second.last_of_class[append->place.priority];
    places_grew_ = places_grew_ && last < append->place.seq;
    last = append->place.seq;
    queue->second.last_seq = std::max(queue->second.last_seq, append->place.seq.value);
    ++append_count_;
  } else if (const auto* erase = std::get_if<queue::Erase>(&op)) {
    const auto queue = queues_.find(erase->queue);
    if (queue != queues_.end()) queue->second.messages.erase(erase->place);
  } else if (const auto* back = std::get_if<queue::Return>(&op)) {
    ++return_count_;
    const auto queue = queues_.find(back->queue);
    if (queue == queues_.end()) return;
    const auto at = queue->second.messages.find(back->place);
    if (at != queue->second.messages.end()) at->second.deliveries = back->deliveries;
  } else if (const auto* drop = std::get_if<queue::DropQueue>(&op)) {
    queues_.erase(drop->queue);
  }
}

std::vector<queue::LoadedPage> FakeJournal::take_pages() {
  std::vector<queue::LoadedPage> pages;
  for (const queue::LoadRequest& request : std::exchange(loads_, {})) {
    pages.push_back(page_for(request));
  }
  return pages;
}

queue::LoadedPage FakeJournal::page_for(const queue::LoadRequest& request) const {
  queue::LoadedPage page;
  page.queue = request.queue;
  page.from = request.from;
  page.tag = request.tag;
  const auto queue = queues_.find(request.queue);
  if (queue == queues_.end()) return page;
  const auto& messages = queue->second.messages;
  std::size_t bytes = 0;
  for (auto at = messages.lower_bound(request.from); at != messages.end(); ++at) {
    const auto& [place, stored] = *at;
    if (place >= request.before) break;
    if (page.messages.size() == request.count_max || bytes > request.bytes_max) {
      page.more = true;
      break;
    }
    const bool is_stale = stored.message->persistence == queue::Persistence::kVolatile &&
                          stored.message->id.epoch() < epoch_;
    if (is_stale) continue;
    bytes += stored.message->bytes();
    page.messages.push_back({place, stored.message, stored.deliveries});
  }
  return page;
}

void FakeJournal::crash() {
  pending_.clear();
  loads_.clear();
  ++epoch_;
}

queue::StoreState FakeJournal::state() const {
  queue::StoreState state;
  state.identity = "fake";
  state.epoch = epoch_;
  state.last_queue = last_queue_;
  for (const auto& [id, queue] : queues_)
    state.queues.push_back(state_of(id, queue));
  return state;
}

queue::QueueState FakeJournal::state_of(queue::QueueId id, const QueueOnDisk& queue) {
  queue::QueueState found;
  found.queue = id;
  found.name = queue.name;
  found.attributes = queue.attributes;
  found.message_count = queue.messages.size();
  found.next_seq = {queue.last_seq + 1};
  if (!queue.messages.empty()) found.first = queue.messages.begin()->first;
  for (const auto& [place, stored] : queue.messages) {
    found.message_bytes += stored.message->bytes();
    if (found.classes.empty() || found.classes.back().priority != place.priority) {
      found.classes.push_back({.priority = place.priority, .first = place.seq});
    }
    found.classes.back().message_count += 1;
    found.classes.back().message_bytes += stored.message->bytes();
  }
  return found;
}

std::vector<FakeJournal::Stored> FakeJournal::stored(const std::string& queue_name) const {
  std::vector<Stored> found;
  for (const auto& [id, queue] : queues_) {
    if (queue.name != queue_name) continue;
    for (const auto& [place, stored] : queue.messages)
      found.push_back(stored);
  }
  return found;
}

bool FakeJournal::knows(const std::string& queue_name) const {
  return std::any_of(queues_.begin(), queues_.end(),
                     [&](const auto& item) { return item.second.name == queue_name; });
}

std::string FakeJournal::attributes(const std::string& queue_name) const {
  for (const auto& [id, queue] : queues_) {
    if (queue.name == queue_name) return queue.attributes;
  }
  return {};
}

}  // namespace stompbox::testing

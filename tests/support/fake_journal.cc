#include "tests/support/fake_journal.h"

#include <algorithm>
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

queue::CommitReport FakeJournal::commit() {
  const auto is_append = [](const queue::Op& op) {
    return std::holds_alternative<queue::Append>(op);
  };
  queue::CommitReport report;
  report.through = {last_ticket_};
  for (auto at = pending_.begin(); at != pending_.end();) {
    const auto& ops = at->second.ops;
    if (disk_ == Disk::kFull && std::any_of(ops.begin(), ops.end(), is_append)) {
      report.through.value = std::min(report.through.value, at->first - 1);
      ++at;
      continue;
    }
    for (const queue::Op& op : ops)
      apply(op);
    at = pending_.erase(at);
  }
  report.disk_full = disk_ == Disk::kFull;
  report.pending_bytes = pending_bytes();
  return report;
}

void FakeJournal::apply(const queue::Op& op) {
  if (const auto* append = std::get_if<queue::Append>(&op)) {
    QueueOnDisk& queue = queues_[append->queue];
    queue.messages[append->place] = {.message = append->message, .deliveries = 0};
    queue.last_seq = std::max(queue.last_seq, append->place.seq.value);
    ++append_count_;
  } else if (const auto* erase = std::get_if<queue::Erase>(&op)) {
    queues_[erase->queue].messages.erase(erase->place);
  } else if (const auto* back = std::get_if<queue::Return>(&op)) {
    auto& messages = queues_[back->queue].messages;
    const auto at = messages.find(back->place);
    if (at != messages.end()) at->second.deliveries = back->deliveries;
    ++return_count_;
  } else if (const auto* create = std::get_if<queue::CreateQueue>(&op)) {
    queues_[create->queue].name = create->name;
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
  for (const auto& [id, queue] : queues_) {
    queue::QueueState found;
    found.queue = id;
    found.name = queue.name;
    found.message_count = queue.messages.size();
    for (const auto& [place, stored] : queue.messages)
      found.message_bytes += stored.message->bytes();
    if (!queue.messages.empty()) found.first = queue.messages.begin()->first;
    found.next_seq = {queue.last_seq + 1};
    state.queues.push_back(found);
  }
  return state;
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

}  // namespace stompbox::testing

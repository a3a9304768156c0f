#include "tests/sim/disk.h"

#include <algorithm>
#include <cassert>
#include <utility>
#include <variant>

#include "storage/queue/pending.h"

namespace stompbox::sim {
namespace {

std::uint64_t bytes_of(const std::vector<queue::Op>& ops) {
  std::uint64_t bytes = 0;
  for (const queue::Op& op : ops) {
    if (const auto* append = std::get_if<queue::Append>(&op)) bytes += append->message->bytes();
  }
  return bytes;
}

}  // namespace

queue::StoreState Platter::start(Fault fault) {
  queue::StoreState state;
  state.identity = "simulated";
  state.epoch = ++epoch;
  state.last_queue = last_queue;
  for (auto& [id, stored] : queues) {
    std::erase_if(stored.messages, [](const auto& item) {
      return item.second.message->persistence == queue::Persistence::kVolatile;
    });
    queue::QueueState found;
    found.queue = id;
    found.name = stored.name;
    found.attributes = stored.attributes;
    found.message_count = stored.messages.size();
    if (fault == Fault::kStoreCountsLess && found.message_count > 0) found.message_count -= 1;
    for (const auto& [place, message] : stored.messages) {
      found.message_bytes += message.message->bytes();
      if (found.classes.empty() || found.classes.back().priority != place.priority) {
        found.classes.push_back({.priority = place.priority, .first = place.seq});
      }
      found.classes.back().message_count += 1;
      found.classes.back().message_bytes += message.message->bytes();
    }
    if (fault == Fault::kStoreCountsLess && !found.classes.empty()) {
      found.classes.back().message_count -= 1;
    }
    if (!stored.messages.empty()) found.first = stored.messages.begin()->first;
    found.next_seq = {stored.next_seq};
    state.queues.push_back(std::move(found));
  }
  return state;
}

void Platter::apply(const queue::Op& op) {
  if (const auto* create = std::get_if<queue::CreateQueue>(&op)) {
    last_queue = std::max(last_queue, create->queue);
    queues[create->queue].name = create->name;
    queues[create->queue].attributes = create->attributes;
  } else if (const auto* append = std::get_if<queue::Append>(&op)) {
    const auto stored = queues.find(append->queue);
    assert(stored != queues.end());
    queue::Seq& last = stored->second.last_of_class[append->place.priority];
    assert(last < append->place.seq);  // as the journal wants them
    last = append->place.seq;
    stored->second.messages[append->place] = Stored{append->message, 0};
    stored->second.next_seq = std::max(stored->second.next_seq, append->place.seq.value + 1);
  } else if (const auto* erase = std::get_if<queue::Erase>(&op)) {
    const auto stored = queues.find(erase->queue);
    if (stored == queues.end()) return;
    for (std::uint64_t i = 0; i < erase->count; ++i) {
      stored->second.messages.erase({erase->place.priority, {erase->place.seq.value + i}});
    }
  } else if (const auto* back = std::get_if<queue::Return>(&op)) {
    const auto stored = queues.find(back->queue);
    if (stored == queues.end()) return;
    auto& messages = stored->second.messages;
    if (const auto found = messages.find(back->place); found != messages.end()) {
      found->second.deliveries = back->deliveries;
    }
  } else if (const auto* drop = std::get_if<queue::DropQueue>(&op)) {
    queues.erase(drop->queue);
  }
}

SimJournal::SimJournal(Platter& platter, Chance& chance, Fault fault)
    : platter_(platter), chance_(chance), fault_(fault) {}

// As the committer does it, and as often as it may.
bool SimJournal::joins_last(const queue::Op& op) {
  const auto* next = std::get_if<queue::Erase>(&op);
  if (next == nullptr || pending_bytes_ > 0 || pending_.empty()) return false;
  std::vector<queue::Op>& last = pending_.back().ops;
  auto* run = last.size() == 1 ? std::get_if<queue::Erase>(&last.front()) : nullptr;
  return run != nullptr && queue::joins(*run, *next);
}

queue::Ticket SimJournal::submit(queue::Op op) {
  if (joins_last(op)) return pending_.back().ticket;
  std::vector<queue::Op> ops;
  ops.push_back(std::move(op));
  return submit_together(std::move(ops));
}

queue::Ticket SimJournal::submit_together(std::vector<queue::Op> ops) {
  const queue::Ticket ticket{++last_ticket_};
  pending_bytes_ += bytes_of(ops);
  pending_.push_back(Group{ticket, std::move(ops), false});
  return ticket;
}

bool SimJournal::withdraw(queue::Ticket append) {
  for (Group& group : pending_) {
    if (group.ticket != append) continue;
    if (group.withdrawn) return false;
    group.withdrawn = fault_ != Fault::kWithdrawnIsWritten;
    return true;
  }
  return fault_ == Fault::kWithdrawTooLate;
}

void SimJournal::load(const queue::LoadRequest& request) {
  loads_.push_back({request, std::nullopt});
}

bool SimJournal::busy() const {
  return !pending_.empty() || !batch_.empty() || !reports_.empty() || !loads_.empty();
}

void SimJournal::apply(const Group& group) {
  if (group.withdrawn) return;
  const bool appends = std::any_of(group.ops.begin(), group.ops.end(), [](const queue::Op& op) {
    return std::holds_alternative<queue::Append>(op);
  });
  for (const queue::Op& op : group.ops) {
    const bool is_erase = std::holds_alternative<queue::Erase>(op);
    if (fault_ == Fault::kGroupForgetsErases && appends && is_erase) continue;
    if (fault_ == Fault::kEraseForgotten && std::holds_alternative<queue::Erase>(op) &&
        chance_.once_in(4)) {
      continue;
    }
    platter_.apply(op);
  }
}

void SimJournal::step() {
  if (stage_ == Stage::kIdle) {
    const std::size_t count = std::min(pending_.size(), 1 + chance_.below(20));
    for (std::size_t i = 0; i < count; ++i) {
      batch_.push_back(std::move(pending_.front()));
      pending_.pop_front();
    }
    if (!batch_.empty()) stage_ = Stage::kTaken;
    return;
  }
  queue::CommitReport report;
  report.through = batch_.back().ticket;
  report.removals_through = report.through;
  if (stage_ == Stage::kTaken) {
    stage_ = Stage::kWritten;
    if (fault_ == Fault::kReportBeforeSync) reports_.push_back(report);
    return;
  }
  for (const Group& group : batch_) {
    apply(group);
    pending_bytes_ -= bytes_of(group.ops);
  }
  batch_.clear();
  stage_ = Stage::kIdle;
  if (fault_ != Fault::kReportBeforeSync) reports_.push_back(report);
}

void SimJournal::crash() {
  if (stage_ == Stage::kWritten) {
    const std::size_t survivors = chance_.below(batch_.size() + 1);
    for (std::size_t i = 0; i < survivors; ++i)
      apply(batch_[i]);
    if (fault_ == Fault::kGroupSplit && survivors < batch_.size()) {
      const Group& torn = batch_[survivors];
      if (!torn.withdrawn && torn.ops.size() > 1) platter_.apply(torn.ops.back());
    }
  }
  pending_.clear();
  batch_.clear();
  reports_.clear();
  loads_.clear();
}

std::optional<queue::CommitReport> SimJournal::next_report() {
  if (reports_.empty()) return std::nullopt;
  queue::CommitReport report = reports_.front();
  reports_.pop_front();
  report.pending_bytes = pending_bytes_;
  return report;
}

std::optional<queue::LoadedPage> SimJournal::next_page() {
  if (loads_.empty()) return std::nullopt;
  Load& load = loads_.front();
  if (!load.seen) {
    load.seen = read(load.request);
    if (!chance_.once_in(3)) return std::nullopt;
  }
  queue::LoadedPage page = std::move(*load.seen);
  loads_.pop_front();
  return page;
}

queue::LoadedPage SimJournal::read(const queue::LoadRequest& request) {
  queue::LoadedPage page;
  page.queue = request.queue;
  page.from = request.from;
  page.tag = request.tag;
  const auto stored = platter_.queues.find(request.queue);
  if (stored == platter_.queues.end()) return page;
  const auto& messages = stored->second.messages;
  auto next = messages.lower_bound(request.from);
  if (fault_ == Fault::kPageTwice && next != messages.begin() && chance_.once_in(3)) --next;
  std::size_t bytes = 0;
  for (; next != messages.end() && next->first < request.before; ++next) {
    if (page.messages.size() == request.count_max || bytes >= request.bytes_max) {
      page.more = true;
      break;
    }
    bytes += next->second.message->bytes();
    page.messages.push_back({next->first, next->second.message, next->second.deliveries});
  }
  if (fault_ == Fault::kPageSkipsOne && page.messages.size() > 1 && chance_.once_in(3)) {
    page.messages.erase(page.messages.begin());
  }
  if (fault_ == Fault::kPageOutOfOrder && page.messages.size() > 1) {
    std::swap(page.messages.front().message, page.messages.back().message);
  }
  return page;
}

}  // namespace stompbox::sim

#include "storage/queue/ledger.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace stompbox::queue {
namespace {

constexpr std::size_t kStoredRangesMax = 8;  // per class, in the meta record
// Of dropped queues: smaller ones are left to LevelDB's own compactions, like those that are too
// many.
constexpr DeadSpanLeast kLooseSpanLeast{1000, 1024 * 1024};
constexpr std::size_t kLooseSpansMax = 1024;
constexpr std::uint64_t kDeferredStep = 4096;  // places of a batch

void extend_hull(DeadRange& hull, std::uint64_t seq) {
  if (hull.length() == 0) {
    hull = {seq, seq + 1};
    return;
  }
  hull.from = std::min(hull.from, seq);
  hull.to = std::max(hull.to, seq + 1);
}

void subtract(std::uint64_t& count, std::uint64_t amount) {
  count -= std::min(count, amount);
}

}  // namespace

void Ledger::restore(QueueId queue, QueueName name, const QueueMeta& meta) {
  restore_last(queue);
  QueueLedger& ledger = queues_[queue.value];
  ledger.name = std::move(name);
  std::uint64_t volatile_count = 0;
  for (const ClassMeta& stored : meta.classes) {
    auto restored = std::make_unique<ClassLedger>();
    restored->live = LiveMap(stored.low, stored.next, stored.dead);
    restored->committed_next = stored.next;
    restored->durable_count = stored.durable_count;
    restored->durable_bytes = stored.durable_bytes;
    restored->volatile_count = stored.volatile_count;
    restored->returned = stored.returned;
    restored->deferred = Deferred(stored.deferred, stored.deferred_bytes);
    if (!restored->deferred.empty()) deferred_.insert({queue, stored.priority});
    note_deferred(deferred_bytes_ + stored.deferred_bytes);
    restored->erased = stored.deferred;
    restored->erased_count = stored.deferred.length();
    restored->erased_bytes = stored.deferred_bytes;
    erased_since_tidy_ += restored->erased_count;
    dead_due_ = dead_due_ || DeadSpanLeast{}.is_met(restored->erased_count, restored->erased_bytes);
    volatile_count += stored.volatile_count;
    ledger.classes[stored.priority.value] = std::move(restored);
  }
  if (volatile_count > 0) stale_.emplace_back(queue, volatile_count);
}

void Ledger::restore_last(QueueId last) {
  last_queue_ = std::max(last_queue_, last);
}

void Ledger::restore_damaged(QueueId queue) {
  const auto found = queues_.find(queue.value);
  if (found != queues_.end()) found->second.has_damaged = true;
}

void Ledger::create(const CreateQueue& op) {
  const auto [entry, is_new] = queues_.try_emplace(op.queue.value);
  assert(is_new || entry->second.name.name == op.name);
  entry->second.name = {op.name, op.attributes};
  last_queue_ = std::max(last_queue_, op.queue);
}

std::optional<DroppedQueue> Ledger::drop(QueueId queue) {
  DroppedQueue dropped{queue, meta(queue)};
  const QueueLedger& ledger = find(queue);
  bool leaves_something = ledger.has_damaged;
  for (const ClassMeta& entry : dropped.meta.classes) {
    leaves_something = leaves_something || entry.low < entry.next || entry.returned.length() > 0 ||
                       entry.deferred.length() > 0;
    forget_deferred({queue, entry.priority});
    note_deferred(deferred_bytes_ - entry.deferred_bytes);
    // What is deferred is counted by the sweep of the queue.
    const ClassLedger& erased = *ledger.classes[entry.priority.value];
    DeadSpan span{queue, entry.priority, erased.erased, erased.erased_count, erased.erased_bytes};
    subtract(span.erased_count, entry.deferred.length());
    subtract(span.erased_bytes, entry.deferred_bytes);
    add_dead_span(span);
  }
  if (ledger.changed) std::erase(changed_, queue);
  queues_.erase(queue.value);
  ++drops_;
  if (!leaves_something) return std::nullopt;
  dropping_.push_back(dropped);
  return dropped;
}

void Ledger::append(const Append& op) {
  ClassLedger& ledger = change(op.queue, op.place.priority);
  ledger.live.append(op.place.seq.value);
  if (op.message->persistence == Persistence::kVolatile) {
    ++ledger.volatile_count;
    return;
  }
  ++ledger.durable_count;
  ledger.durable_bytes += op.message->bytes();
}

void Ledger::take_out(QueueId queue, Place place, Persistence persistence, std::uint64_t bytes) {
  ClassLedger& ledger = change(queue, place.priority);
  if (!ledger.live.erase(place.seq.value)) return;
  if (persistence == Persistence::kVolatile) {
    subtract(ledger.volatile_count, 1);
  } else {
    subtract(ledger.durable_count, 1);
    subtract(ledger.durable_bytes, bytes);
  }
  if (ledger.returned.to <= ledger.live.low()) ledger.returned = {};
  extend_hull(ledger.erased, place.seq.value);
  ++ledger.erased_count;
  ledger.erased_bytes += bytes;
  ++erased_since_tidy_;
  const DeadSpanLeast least;
  dead_due_ = dead_due_ || least.is_met(ledger.erased_count, ledger.erased_bytes);
}

void Ledger::set_aside(QueueId queue, Place place, Persistence persistence, std::uint64_t bytes) {
  find(queue).has_damaged = true;
  take_out(queue, place, persistence, bytes);
}

void Ledger::give_back(const Return& op) {
  extend_hull(change(op.queue, op.place.priority).returned, op.place.seq.value);
}

Ledger::Deferral Ledger::defer(QueueId queue, Place place, std::uint64_t bytes) {
  if (!knows(queue) || deferred_bytes_ >= kDeferredBytesMax) return Deferral::kNever;
  ClassLedger& ledger = *find(queue).classes[place.priority.value];
  const bool nobody_comes = place.seq.value < ledger.live.low();
  if (!nobody_comes || place.seq.value >= ledger.read_to) return Deferral::kNever;
  const bool is_first = ledger.deferred.empty();
  if (!ledger.deferred.add(place.seq.value, bytes)) {
    const bool is_short = ledger.deferred.places().length() <= kDeferredStep;
    if (is_short && ledger.deferred.is_dense()) return Deferral::kAlone;
    too_thin_ = ClassKey{queue, place.priority};
    return Deferral::kNever;
  }
  if (is_first) deferred_.insert({queue, place.priority});
  note_deferred(deferred_bytes_ + bytes);
  return Deferral::kDone;
}

DeadRange Ledger::take_deferred(QueueId queue, PriorityClass priority) {
  if (!knows(queue)) return {};
  Deferred& deferred = change(queue, priority).deferred;
  const std::uint64_t before = deferred.bytes();
  const DeadRange places = deferred.take(kDeferredStep);
  if (deferred.empty()) forget_deferred({queue, priority});
  note_deferred(deferred_bytes_ - (before - deferred.bytes()));
  return places;
}

void Ledger::forget_deferred(ClassKey key) {
  deferred_.erase(key);
  if (too_thin_ == key) too_thin_.reset();
}

void Ledger::note_deferred(std::uint64_t bytes) {
  deferred_bytes_ = bytes;
  deferred_ebbs_ = bytes >= kDeferredBytesMax || (deferred_ebbs_ && bytes > kDeferredBytesMax / 2);
}

bool Ledger::may_have_count(QueueId queue, Place place) const {
  const auto& ledger = find(queue).classes[place.priority.value];
  return ledger && ledger->returned.from <= place.seq.value &&
         place.seq.value < ledger->returned.to;
}

const std::string& Ledger::name(QueueId queue) const {
  return find(queue).name.name;
}

QueueMeta Ledger::meta(QueueId queue) const {
  const QueueLedger& ledger = find(queue);
  QueueMeta meta;
  for (std::uint8_t priority = 0; priority < kPriorityClassCount; ++priority) {
    const ClassLedger* entry = ledger.classes[priority].get();
    if (entry == nullptr) continue;
    meta.classes.push_back({PriorityClass{priority}, entry->durable_count, entry->durable_bytes,
                            entry->volatile_count, entry->live.next(), entry->live.low(),
                            entry->returned, entry->live.longest_ranges(kStoredRangesMax),
                            entry->deferred.places(), entry->deferred.bytes()});
  }
  return meta;
}

void Ledger::batch_committed() {
  for (const QueueId queue : changed_) {
    QueueLedger& ledger = find(queue);
    ledger.changed = false;
    for (const auto& entry : ledger.classes) {
      if (entry) entry->committed_next = entry->live.next();
    }
  }
  changed_.clear();
  std::move(dropping_.begin(), dropping_.end(), std::back_inserter(dropped_));
  dropping_.clear();
}

std::vector<QueueState> Ledger::states() const {
  std::vector<QueueState> states;
  states.reserve(queues_.size());
  for (const auto& [id, ledger] : queues_) {
    QueueState state;
    state.queue = QueueId{id};
    state.name = ledger.name.name;
    state.attributes = ledger.name.attributes;
    state.first = Place{PriorityClass{0}, Seq{1}};
    state.next_seq = Seq{1};
    bool found_live = false;
    for (std::uint8_t priority = 0; priority < kPriorityClassCount; ++priority) {
      const ClassLedger* entry = ledger.classes[priority].get();
      if (entry == nullptr) continue;
      state.message_count += entry->durable_count;
      state.message_bytes += entry->durable_bytes;
      state.next_seq.value = std::max(state.next_seq.value, entry->live.next());
      state.classes.push_back({PriorityClass{priority}, entry->durable_count, entry->durable_bytes,
                               Seq{entry->live.low()}});
      if (found_live || entry->live.all_dead()) continue;
      found_live = true;
      state.first = Place{PriorityClass{priority}, Seq{entry->live.low()}};
    }
    states.push_back(std::move(state));
  }
  std::sort(states.begin(), states.end(),
            [](const QueueState& a, const QueueState& b) { return a.queue < b.queue; });
  return states;
}

std::optional<SeekPlan> Ledger::plan(QueueId queue, PriorityClass from) const {
  const auto found = queues_.find(queue.value);
  if (found == queues_.end()) return std::nullopt;
  SeekPlan plan;
  plan.queue_name = found->second.name.name;
  for (std::uint8_t priority = from.value; priority < kPriorityClassCount; ++priority) {
    const ClassLedger* entry = found->second.classes[priority].get();
    if (entry == nullptr || entry->live.all_dead()) continue;
    plan.classes.push_back(
        {PriorityClass{priority}, entry->live, entry->committed_next, entry->returned});
  }
  return plan;
}

void Ledger::learn_dead(QueueId queue, PriorityClass priority, DeadRange range) {
  if (!knows(queue)) return;
  find(queue).classes[priority.value]->live.learn_dead(range.from, range.to);
}

void Ledger::note_read(QueueId queue, PriorityClass priority, std::uint64_t to) {
  if (!knows(queue)) return;
  std::uint64_t& read_to = find(queue).classes[priority.value]->read_to;
  read_to = std::max(read_to, to);
}

bool Ledger::has_deferred(QueueId queue, PriorityClass priority, std::uint64_t to) const {
  if (!knows(queue)) return false;
  const ClassLedger* entry = find(queue).classes[priority.value].get();
  return entry != nullptr && !entry->deferred.empty() && entry->deferred.places().from < to;
}

std::optional<std::pair<QueueId, PriorityClass>> Ledger::deferred_due(Room room) const {
  if (too_thin_) return too_thin_;
  const bool is_due = (room == Room::kFull || deferred_ebbs_) && !deferred_.empty();
  return is_due ? std::optional(*deferred_.begin()) : std::nullopt;
}

std::uint64_t Ledger::first_live(QueueId queue, PriorityClass priority) const {
  const ClassLedger* entry = knows(queue) ? find(queue).classes[priority.value].get() : nullptr;
  return entry == nullptr ? 1 : entry->live.low();
}

void Ledger::add_dead_span(const DeadSpan& span) {
  if (!kLooseSpanLeast.is_met(span.erased_count, span.erased_bytes)) return;
  if (loose_spans_.size() == kLooseSpansMax) loose_spans_.erase(loose_spans_.begin());
  loose_spans_.push_back(span);
  erased_since_tidy_ += span.erased_count;
  dead_due_ = dead_due_ || DeadSpanLeast{}.is_met(span.erased_count, span.erased_bytes);
}

std::optional<DeadSpan> Ledger::take_loose_span(const DeadSpanLeast& least) {
  for (auto span = loose_spans_.begin(); span != loose_spans_.end(); ++span) {
    if (!least.is_met(span->erased_count, span->erased_bytes)) continue;
    const DeadSpan taken = *span;
    loose_spans_.erase(span);
    return taken;
  }
  return std::nullopt;
}

std::optional<DeadSpan> Ledger::take_dead_span(const DeadSpanLeast& least) {
  if (const std::optional<DeadSpan> loose = take_loose_span(least)) return loose;
  for (auto& [id, ledger] : queues_) {
    for (std::uint8_t priority = 0; priority < kPriorityClassCount; ++priority) {
      ClassLedger* entry = ledger.classes[priority].get();
      if (entry == nullptr || entry->erased_count == 0) continue;
      if (!least.is_met(entry->erased_count, entry->erased_bytes)) continue;
      const DeadSpan span{QueueId{id}, PriorityClass{priority}, entry->erased, entry->erased_count,
                          entry->erased_bytes};
      entry->erased = {};
      entry->erased_count = 0;
      entry->erased_bytes = 0;
      return span;
    }
  }
  dead_due_ = false;
  erased_since_tidy_ = 0;
  return std::nullopt;
}

Ledger::QueueLedger& Ledger::find(QueueId queue) {
  const auto found = queues_.find(queue.value);
  assert(found != queues_.end());
  return found->second;
}

const Ledger::QueueLedger& Ledger::find(QueueId queue) const {
  const auto found = queues_.find(queue.value);
  assert(found != queues_.end());
  return found->second;
}

Ledger::ClassLedger& Ledger::change(QueueId queue, PriorityClass priority) {
  QueueLedger& ledger = find(queue);
  if (!ledger.changed) {
    ledger.changed = true;
    changed_.push_back(queue);
  }
  std::unique_ptr<ClassLedger>& entry = ledger.classes[priority.value];
  if (!entry) entry = std::make_unique<ClassLedger>();
  return *entry;
}

}  // namespace stompbox::queue

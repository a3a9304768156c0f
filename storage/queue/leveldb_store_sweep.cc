#include <leveldb/iterator.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "storage/queue/key_format.h"
#include "storage/queue/leveldb_slice.h"
#include "storage/queue/leveldb_store.h"
#include "storage/queue/record_format.h"

// What the sweeper does, one bounded step after the other.
namespace stompbox::queue {
namespace {

// Of erased data, in one call of CompactRange: what a stop may have to wait for.
constexpr std::uint64_t kCompactionSliceBytes = 64ULL * 1024 * 1024;
constexpr std::size_t kStaleStepEntries = 1024;
// On a full disk room is wanted sooner.
constexpr DeadSpanLeast kWhenFull{1000, 1024 * 1024};

}  // namespace

Tidied LeveldbStore::tidy(std::vector<Discard>& discards) {
  const std::shared_lock database_lock(database_mutex_);
  if (!database_.is_open()) return Tidied::kDone;
  const bool more = search_stale(discards) || sweep_dropped(discards) || compact_names() ||
                    sweep_deferred(discards) || compact_span(discards);
  sweeping_ = more;
  note_tidy_due();
  return more ? Tidied::kMoreToDo : Tidied::kDone;
}

// One step of the search for what an earlier epoch left; false when there is nothing to search.
bool LeveldbStore::search_stale(std::vector<Discard>& discards) {
  if (stale_.empty()) return false;
  StaleSearch& search = stale_.back();
  leveldb::ReadOptions read_options;
  read_options.fill_cache = false;
  const std::unique_ptr<leveldb::Iterator> index(database_.db().NewIterator(read_options));
  if (search.after.empty()) {
    index->Seek(slice(queue_key(KeyRange::kIndex, search.queue)));
  } else {
    index->Seek(search.after);
  }
  std::size_t looked_at = 0;
  std::optional<PriorityClass> entered;
  for (; index->Valid() && search.remaining > 0; index->Next()) {
    auto found = read_place_key(KeyRange::kIndex, view(index->key()));
    if (found && found->queue == search.queue && entered != found->place.priority) {
      entered = found->place.priority;
      seek_live(*index, *found);
      if (!index->Valid()) break;
      found = read_place_key(KeyRange::kIndex, view(index->key()));
    }
    if (!found || found->queue != search.queue) break;
    if (looked_at++ == kStaleStepEntries) {
      search.after = index->key().ToString();
      return true;
    }
    const std::optional<IndexEntry> entry = decode_index(view(index->value()));
    const bool is_stale =
        entry && entry->persistence == Persistence::kVolatile && entry->id.epoch() != state_.epoch;
    if (!is_stale) continue;
    --search.remaining;
    discards.push_back({search.queue,
                        found->place,
                        Discard::Reason::kStale,
                        Persistence::kVolatile,
                        entry->bytes(),
                        {}});
  }
  stale_.pop_back();
  return true;
}

// Over what is dead at the beginning of the class.
void LeveldbStore::seek_live(leveldb::Iterator& index, QueuePlace found) {
  std::uint64_t first = 0;
  {
    const std::lock_guard lock(ledger_mutex_);
    first = ledger_.first_live(found.queue, found.place.priority);
  }
  if (found.place.seq.value >= first) return;
  found.place.seq.value = first;
  index.Seek(slice(place_key(KeyRange::kIndex, found.queue, found.place)));
}

// One step behind dropped queues; false when there is none to make now.
bool LeveldbStore::sweep_dropped(std::vector<Discard>& discards) {
  if (found_) return false;
  {
    const std::lock_guard lock(ledger_mutex_);
    for (const DroppedQueue& dropped : ledger_.take_dropped())
      drop_sweep_.add(dropped);
  }
  if (drop_sweep_.idle()) return false;
  std::vector<DeadSpan> spans;
  drop_sweep_.step(database_.db(), discards, spans);
  drop_left_ = !drop_sweep_.idle();
  found_ = !discards.empty();
  const std::lock_guard lock(ledger_mutex_);
  for (const DeadSpan& span : spans)
    ledger_.add_dead_span(span);
  return true;
}

// Names and meta records of queues that came and went; false when they are few.
bool LeveldbStore::compact_names() {
  {
    const std::lock_guard lock(ledger_mutex_);
    if (!ledger_.names_due()) return false;
    ledger_.names_compacted();
  }
  for (const KeyRange range : {KeyRange::kName, KeyRange::kMeta, KeyRange::kDropped}) {
    const Key first = queue_key(range, QueueId{0});
    const Key last = queue_key(range, QueueId{UINT32_MAX});
    database_.compact(slice(first), slice(last));
  }
  return true;
}

// One step of the deletes that were put off and are due; false when there is none to make now.
bool LeveldbStore::sweep_deferred(std::vector<Discard>& discards) {
  if (found_) return false;
  std::optional<std::pair<QueueId, PriorityClass>> due;
  {
    const std::lock_guard lock(ledger_mutex_);
    due = ledger_.deferred_due(full_ ? Room::kFull : Room::kEnough);
  }
  if (due) take_deferred(due->first, due->second, discards);
  return due.has_value();
}

void LeveldbStore::take_deferred(QueueId queue, PriorityClass priority,
                                 std::vector<Discard>& discards) {
  Discard next;
  next.queue = queue;
  next.place.priority = priority;
  next.reason = Discard::Reason::kDeferred;
  discards.push_back(next);
  found_ = true;
}

// One step towards a dead span that is compacted: the deletes that were put off, then slice by
// slice; false when no span is worth it, or there is no step to make now.
bool LeveldbStore::compact_span(std::vector<Discard>& discards) {
  if (found_) return false;
  bool has_deferred = false;
  {
    const std::lock_guard lock(ledger_mutex_);
    if (!compaction_) {
      const std::optional<DeadSpan> span =
          ledger_.take_dead_span(full_ ? kWhenFull : DeadSpanLeast{});
      if (!span) return false;
      const std::uint64_t slices = span->erased_bytes / kCompactionSliceBytes + 1;
      compaction_ = Compaction{*span, span->places.from, span->places.length() / slices + 1};
      span_left_ = true;
    }
    const DeadSpan& span = compaction_->span;
    has_deferred = ledger_.has_deferred(span.queue, span.priority, span.places.to);
  }
  if (has_deferred) {
    take_deferred(compaction_->span.queue, compaction_->span.priority, discards);
  } else {
    compact_slice();
  }
  return true;
}

// Index and bodies.
void LeveldbStore::compact_slice() {
  const DeadSpan& span = compaction_->span;
  const std::uint64_t to = std::min(compaction_->next + compaction_->slice_places, span.places.to);
  for (const KeyRange range : {KeyRange::kIndex, KeyRange::kBody}) {
    const Key first = place_key(range, span.queue, {span.priority, Seq{compaction_->next}});
    const Key last = place_key(range, span.queue, {span.priority, Seq{to}});
    database_.compact(slice(first), slice(last));
  }
  compaction_->next = to;
  if (to < span.places.to) return;
  compaction_.reset();
  span_left_ = false;
}

}  // namespace stompbox::queue

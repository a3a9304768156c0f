#include "storage/queue/leveldb_drop.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "storage/queue/leveldb_slice.h"
#include "storage/queue/record_format.h"

namespace stompbox::queue {
namespace {

// Of one step, and so of the batch that takes them out.
constexpr std::size_t kStepKeys = 4096;

std::string key_text(const Key& key) {
  return std::string(key.view());
}

Discard delete_key(QueueId queue, std::string_view key) {
  Discard discard;
  discard.queue = queue;
  discard.reason = Discard::Reason::kDropped;
  discard.record = key;
  return discard;
}

}  // namespace

void DropSweep::add(const DroppedQueue& dropped) {
  assert(dropped.queue.value < UINT32_MAX);
  Job job;
  job.queue = dropped.queue;
  const auto stretch = [&job](KeyRange range, PriorityClass priority, std::uint64_t from,
                              std::uint64_t to) {
    if (from >= to) return;
    job.stretches.push_back({range, key_text(place_key(range, job.queue, {priority, Seq{from}})),
                             key_text(place_key(range, job.queue, {priority, Seq{to}}))});
  };
  for (const ClassMeta& meta : dropped.meta.classes) {
    stretch(KeyRange::kIndex, meta.priority, meta.deferred.from, meta.deferred.to);
    std::uint64_t from = meta.low;
    for (const DeadRange& dead : meta.dead) {
      stretch(KeyRange::kIndex, meta.priority, from, dead.from);
      from = std::max(from, dead.to);
    }
    stretch(KeyRange::kIndex, meta.priority, from, meta.next);
    stretch(KeyRange::kReturned, meta.priority, meta.returned.from, meta.returned.to);
  }
  job.stretches.push_back({KeyRange::kDamaged, key_text(queue_key(KeyRange::kDamaged, job.queue)),
                           key_text(queue_key(KeyRange::kDamaged, QueueId{job.queue.value + 1}))});
  jobs_.push_back(std::move(job));
}

void DropSweep::step(leveldb::DB& db, std::vector<Discard>& discards,
                     std::vector<DeadSpan>& spans) {
  leveldb::ReadOptions read_options;
  read_options.fill_cache = false;
  const std::unique_ptr<leveldb::Iterator> keys(db.NewIterator(read_options));
  while (!jobs_.empty() && discards.size() < kStepKeys) {
    Job& job = jobs_.front();
    if (!sweep(*keys, job, discards)) return;
    if (keys->status().ok()) {
      discards.push_back(delete_key(job.queue, queue_key(KeyRange::kDropped, job.queue).view()));
      std::move(job.spans.begin(), job.spans.end(), std::back_inserter(spans));
    }
    jobs_.pop_front();
  }
}

bool DropSweep::sweep(leveldb::Iterator& keys, Job& job, std::vector<Discard>& discards) {
  while (!job.stretches.empty()) {
    Stretch& stretch = job.stretches.front();
    for (keys.Seek(stretch.from); keys.Valid() && view(keys.key()) < stretch.to; keys.Next()) {
      if (discards.size() >= kStepKeys) {
        stretch.from = keys.key().ToString();
        return false;
      }
      take(keys, stretch.range, job, discards);
    }
    job.stretches.pop_front();
  }
  return true;
}

void DropSweep::take(const leveldb::Iterator& keys, KeyRange range, Job& job,
                     std::vector<Discard>& discards) {
  discards.push_back(delete_key(job.queue, view(keys.key())));
  const std::optional<QueuePlace> found = read_place_key(range, view(keys.key()));
  if (!found || range == KeyRange::kReturned) return;
  const std::optional<IndexEntry> entry = decode_index(view(keys.value()));
  count(job, found->place, entry ? entry->bytes() : 0);
  // Of a record that cannot be read nobody knows where its body is.
  if (entry && range == KeyRange::kIndex && entry->body_place == BodyPlace::kInline) return;
  discards.push_back(
      delete_key(job.queue, place_key(KeyRange::kBody, job.queue, found->place).view()));
}

void DropSweep::count(Job& job, Place place, std::uint64_t bytes) {
  if (job.spans.empty() || job.spans.back().priority != place.priority) {
    job.spans.push_back({job.queue, place.priority, {place.seq.value, place.seq.value}, 0, 0});
  }
  DeadSpan& span = job.spans.back();
  span.places.from = std::min(span.places.from, place.seq.value);
  span.places.to = std::max(span.places.to, place.seq.value + 1);
  ++span.erased_count;
  span.erased_bytes += bytes;
}

}  // namespace stompbox::queue

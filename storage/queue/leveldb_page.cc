#include "storage/queue/leveldb_page.h"

#include <leveldb/iterator.h>

#include <algorithm>
#include <cassert>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "storage/queue/key_format.h"
#include "storage/queue/leveldb_slice.h"
#include "storage/queue/record_format.h"

namespace stompbox::queue {
namespace {

// Shorter dead stretches are walked over: a seek costs as much as some steps.
constexpr std::uint64_t kSeekLeast = 32;
// The rest is found by the next load or by the sweeper.
constexpr std::size_t kDiscardsMax = 4096;
constexpr std::size_t kReserveMax = 1024;

// One snapshot and what is read under it.
class PageReader {
 public:
  PageReader(leveldb::DB& db, const SeekPlan& plan, const LoadRequest& request, std::uint32_t epoch,
             MessagePool& pool, PageFinds& finds)
      : db_(db), plan_(plan), request_(request), epoch_(epoch), pool_(pool), finds_(finds) {
    page_.queue = request.queue;
    page_.from = request.from;
    page_.messages.reserve(std::min<std::size_t>(request.count_max, kReserveMax));
    read_options_.snapshot = db.GetSnapshot();
    read_options_.verify_checksums = true;
    body_options_ = read_options_;
    body_options_.fill_cache = false;  // each body is read once; the index stays in the cache
    index_.reset(db.NewIterator(read_options_));
  }

  ~PageReader() {
    index_.reset();
    returned_.reset();
    db_.ReleaseSnapshot(read_options_.snapshot);
  }

  PageReader(const PageReader&) = delete;
  PageReader& operator=(const PageReader&) = delete;

  LoadedPage run() {
    for (const ClassPlan& plan : plan_.classes) {
      if (plan.priority < request_.from.priority) continue;
      if (plan.priority > request_.before.priority) break;
      const bool is_first = plan.priority == request_.from.priority;
      if (read_class(plan, is_first ? request_.from.seq.value : 1) == Step::kStop) break;
    }
    report_damage();
    return std::move(page_);
  }

 private:
  enum class Step { kGoOn, kStop };

  Step read_class(const ClassPlan& plan, std::uint64_t start) {
    const bool is_last = plan.priority == request_.before.priority;
    const std::uint64_t end =
        is_last ? std::min(plan.live.next(), request_.before.seq.value) : plan.live.next();
    std::uint64_t from = plan.live.skip_dead(start);  // nothing was found yet at or behind it
    if (from >= end) return Step::kGoOn;
    seek(plan.priority, from);
    while (const auto seq = current(plan.priority)) {
      if (*seq - from >= kSeekLeast || (*seq > from && from == plan.live.low())) {
        finds_.dead.push_back({plan.priority, {from, *seq}});
      }
      if (*seq >= end) return Step::kGoOn;
      if (take(plan, Seq{*seq}) == Step::kStop) return Step::kStop;
      from = *seq + 1;
      const std::uint64_t live = plan.live.skip_dead(from);
      if (live >= end) return Step::kGoOn;  // not to step into what others have erased behind it
      if (live - from >= kSeekLeast) {
        from = live;
        seek(plan.priority, from);
      } else {
        index_->Next();
      }
    }
    if (plan.committed_next > from) {
      finds_.dead.push_back({plan.priority, {from, plan.committed_next}});
    }
    return Step::kGoOn;
  }

  void seek(PriorityClass priority, std::uint64_t seq) {
    index_->Seek(slice(place_key(KeyRange::kIndex, request_.queue, {priority, Seq{seq}})));
  }

  // The number under the iterator, while it stands in the class.
  std::optional<std::uint64_t> current(PriorityClass priority) const {
    if (!index_->Valid()) return std::nullopt;
    const auto found = read_place_key(KeyRange::kIndex, view(index_->key()));
    if (!found || found->queue != request_.queue || found->place.priority != priority) {
      return std::nullopt;
    }
    return found->place.seq.value;
  }

  Step take(const ClassPlan& plan, Seq seq) {
    const Place place{plan.priority, seq};
    const std::optional<IndexEntry> entry = decode_index(view(index_->value()));
    if (!entry) {
      set_aside(place, nullptr, "its index entry cannot be decoded");
      return Step::kGoOn;
    }
    if (entry->persistence == Persistence::kVolatile && entry->id.epoch() != epoch_) {
      discard({request_.queue,
               place,
               Discard::Reason::kStale,
               Persistence::kVolatile,
               entry->bytes(),
               {}});
      return Step::kGoOn;
    }
    const std::uint64_t bytes = entry->bytes();
    const bool over = bytes_ + bytes > request_.bytes_max && !page_.messages.empty();
    if (over || page_.messages.size() >= request_.count_max) {
      page_.more = true;
      return Step::kStop;
    }
    if (MessagePtr message = read_message(*entry, place)) {
      bytes_ += bytes;
      page_.messages.push_back({place, std::move(message), deliveries(plan, place)});
    }
    return Step::kGoOn;
  }

  // Nothing when the body cannot be read: then it has been set aside.
  MessagePtr read_message(const IndexEntry& entry, Place place) {
    std::shared_ptr<Message> message = pool_.take();
    fit_memory(message->body, entry.body_bytes);
    if (entry.body_place == BodyPlace::kApart) {
      const leveldb::Status status = db_.Get(
          body_options_, slice(place_key(KeyRange::kBody, request_.queue, place)), &message->body);
      if (!status.ok() || message->body.size() != entry.body_bytes) {
        set_aside(place, &entry, status.ok() ? "its body has another length" : status.ToString());
        return nullptr;
      }
    } else {
      message->body = entry.inline_body;
    }
    message->id = entry.id;
    const std::string_view destination =
        entry.destination_is_queue ? std::string_view(plan_.queue_name) : entry.destination;
    fit_memory(message->destination, destination.size());
    message->destination = destination;
    fit_memory(message->header_block, entry.header_block.size());
    message->header_block = entry.header_block;
    message->block_is_plain = entry.block_is_plain;
    message->persistence = entry.persistence;
    message->arrived_ms = entry.arrived_ms;
    message->expires_ms = entry.expires_ms;
    return message;
  }

  std::uint32_t deliveries(const ClassPlan& plan, Place place) {
    if (place.seq.value < plan.returned.from || place.seq.value >= plan.returned.to) return 0;
    const Key key = place_key(KeyRange::kReturned, request_.queue, place);
    if (!returned_) {
      returned_.reset(db_.NewIterator(read_options_));
      returned_->Seek(slice(key));
    } else if (returned_->Valid() && view(returned_->key()) < key.view()) {
      returned_->Seek(slice(key));
    }
    if (!returned_->Valid() || view(returned_->key()) != key.view()) return 0;
    // A count that cannot be read is not worth a message: it was delivered at least once.
    return decode_deliveries(view(returned_->value())).value_or(1);
  }

  void set_aside(Place place, const IndexEntry* entry, const std::string& why) {
    if (damaged_count_ == 0) {
      first_damage_ = "class " + std::to_string(place.priority.value) + ", number " +
                      std::to_string(place.seq.value) + ": " + why;
    }
    ++damaged_count_;
    discard({request_.queue, place, Discard::Reason::kDamaged,
             entry != nullptr ? entry->persistence : Persistence::kDurable,
             entry != nullptr ? entry->bytes() : 0, index_->value().ToString()});
  }

  void discard(Discard what) {
    if (finds_.discards.size() < kDiscardsMax) finds_.discards.push_back(std::move(what));
  }

  void report_damage() {
    leveldb::Status status = index_->status();
    if (status.ok() && returned_) status = returned_->status();
    if (!status.ok()) {
      // What could not be read proves nothing.
      finds_.dead.clear();
      page_.error = storage::Error{
          status.IsCorruption() ? storage::ErrorCode::kCorrupt : storage::ErrorCode::kIo,
          "Queue " + plan_.queue_name + " could not be read whole from the store (" +
              status.ToString() + "); what can be read is delivered, for the rest stop the " +
              "broker and repair the store"};
      return;
    }
    if (damaged_count_ == 0) return;
    page_.error = storage::Error{
        storage::ErrorCode::kCorrupt,
        std::to_string(damaged_count_) + " damaged message(s) of queue " + plan_.queue_name +
            " are left out and kept under range X of the store for repair; the first is " +
            first_damage_};
  }

  leveldb::DB& db_;
  const SeekPlan& plan_;
  const LoadRequest& request_;
  const std::uint32_t epoch_;
  MessagePool& pool_;
  PageFinds& finds_;

  leveldb::ReadOptions read_options_;
  leveldb::ReadOptions body_options_;
  std::unique_ptr<leveldb::Iterator> index_;
  std::unique_ptr<leveldb::Iterator> returned_;  // made when a delivery count may be there
  LoadedPage page_;
  std::uint64_t bytes_ = 0;
  std::uint64_t damaged_count_ = 0;
  std::string first_damage_;
};

}  // namespace

LoadedPage read_page(leveldb::DB& db, const SeekPlan& plan, const LoadRequest& request,
                     std::uint32_t epoch, MessagePool& pool, PageFinds& finds) {
  assert(request.count_max > 0);
  return PageReader(db, plan, request, epoch, pool, finds).run();
}

}  // namespace stompbox::queue

#include "storage/queue/leveldb_batch.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <variant>

#include "storage/queue/key_format.h"
#include "storage/queue/leveldb_slice.h"
#include "storage/queue/record_format.h"

namespace stompbox::queue {
namespace {

Place place_in(const Erase& run, std::uint32_t index) {
  return {run.place.priority, Seq{run.place.seq.value + index}};
}

}  // namespace

void BatchEncoder::encode(const StoreBatch& batch, Deferring deferring, leveldb::WriteBatch& out) {
  out.Clear();
  for (const Op& op : batch.ops) {
    std::visit([this, &out](const auto& kind) { put(kind, out); }, op);
  }
  for (const Discard& discard : batch.discards)
    put(discard, out);
  // Consumers in step erase a place here and a place there: in order they are stretches.
  const auto stands_before = [](const Erase& a, const Erase& b) {
    return std::tie(a.queue, a.place) < std::tie(b.queue, b.place);
  };
  if (!std::is_sorted(deferrable_.begin(), deferrable_.end(), stands_before)) {
    std::sort(deferrable_.begin(), deferrable_.end(), stands_before);
  }
  for (const Erase& op : deferrable_) {
    for (std::uint32_t i = 0; i < op.count; ++i) {
      if (deferring == Deferring::kAllowed) {
        remove_deferrable(op.queue, place_in(op, i), op.bytes, out);
      } else {
        remove_entry(op.queue, place_in(op, i), out);
      }
    }
  }
  deferrable_.clear();
  for (const QueueId queue : ledger_.changed()) {
    scratch_.clear();
    encode_meta(ledger_.meta(queue), scratch_);
    out.Put(slice(queue_key(KeyRange::kMeta, queue)), scratch_);
  }
}

void BatchEncoder::put(const Append& op, leveldb::WriteBatch& out) {
  ledger_.append(op);
  const Message& message = *op.message;
  const BodyPlace body_place =
      message.body.size() > limits_.inline_bytes_max ? BodyPlace::kApart : BodyPlace::kInline;
  scratch_.clear();
  encode_index(message, ledger_.name(op.queue), body_place, scratch_);
  out.Put(slice(place_key(KeyRange::kIndex, op.queue, op.place)), scratch_);
  if (body_place == BodyPlace::kApart) {
    out.Put(slice(place_key(KeyRange::kBody, op.queue, op.place)), message.body);
  }
}

void BatchEncoder::put(const Erase& op, leveldb::WriteBatch& out) {
  if (!ledger_.knows(op.queue)) return;
  // A large one is worth its room at once, and a volatile one is looked for by the sweeper.
  const bool may_defer =
      op.persistence == Persistence::kDurable && op.bytes <= limits_.inline_bytes_least;
  for (std::uint32_t i = 0; i < op.count; ++i) {
    const Place place = place_in(op, i);
    remove_rest(op.queue, place, op.bytes, out);
    ledger_.take_out(op.queue, place, op.persistence, op.bytes);
    if (!may_defer) remove_entry(op.queue, place, out);
  }
  if (may_defer) deferrable_.push_back(op);
}

void BatchEncoder::put(const Return& op, leveldb::WriteBatch& out) {
  if (!ledger_.knows(op.queue)) return;
  ledger_.give_back(op);
  scratch_.clear();
  encode_deliveries(op.deliveries, scratch_);
  out.Put(slice(place_key(KeyRange::kReturned, op.queue, op.place)), scratch_);
}

void BatchEncoder::put(const CreateQueue& op, leveldb::WriteBatch& out) {
  ledger_.create(op);
  scratch_.clear();
  encode_name({op.name, op.attributes}, scratch_);
  out.Put(slice(queue_key(KeyRange::kName, op.queue)), scratch_);
}

// What the queue still holds is left to the sweeper, and its record says so to the next start.
void BatchEncoder::put(const DropQueue& op, leveldb::WriteBatch& out) {
  if (!ledger_.knows(op.queue)) return;
  const std::optional<DroppedQueue> dropped = ledger_.drop(op.queue);
  out.Delete(slice(queue_key(KeyRange::kName, op.queue)));
  out.Delete(slice(queue_key(KeyRange::kMeta, op.queue)));
  scratch_.clear();
  encode_last_queue(ledger_.last_queue(), scratch_);
  out.Put(slice(single_key(KeyRange::kLast)), scratch_);
  if (!dropped) return;
  scratch_.clear();
  encode_meta(dropped->meta, scratch_);
  out.Put(slice(queue_key(KeyRange::kDropped, op.queue)), scratch_);
}

void BatchEncoder::put(const Discard& discard, leveldb::WriteBatch& out) {
  if (discard.reason == Discard::Reason::kDropped) {
    out.Delete(discard.record);
    return;
  }
  if (!ledger_.knows(discard.queue)) return;
  if (discard.reason == Discard::Reason::kDeferred) {
    remove_deferred(discard.queue, discard.place.priority, out);
    return;
  }
  if (discard.reason == Discard::Reason::kDamaged) {
    out.Put(slice(place_key(KeyRange::kDamaged, discard.queue, discard.place)), discard.record);
    remove_entry(discard.queue, discard.place, out);
    ledger_.set_aside(discard.queue, discard.place, discard.persistence, discard.bytes);
    return;
  }
  remove_entry(discard.queue, discard.place, out);
  remove_rest(discard.queue, discard.place, discard.bytes, out);
  ledger_.take_out(discard.queue, discard.place, discard.persistence, discard.bytes);
}

void BatchEncoder::remove_deferrable(QueueId queue, Place place, std::uint64_t bytes,
                                     leveldb::WriteBatch& out) {
  Ledger::Deferral deferral = ledger_.defer(queue, place, bytes);
  if (deferral == Ledger::Deferral::kAlone) {
    remove_deferred(queue, place.priority, out);
    deferral = ledger_.defer(queue, place, bytes);
  }
  if (deferral != Ledger::Deferral::kDone) remove_entry(queue, place, out);
}

void BatchEncoder::remove_deferred(QueueId queue, PriorityClass priority,
                                   leveldb::WriteBatch& out) {
  const DeadRange places = ledger_.take_deferred(queue, priority);
  for (std::uint64_t seq = places.from; seq < places.to; ++seq)
    remove_entry(queue, {priority, Seq{seq}}, out);
}

void BatchEncoder::remove_entry(QueueId queue, Place place, leveldb::WriteBatch& out) {
  out.Delete(slice(place_key(KeyRange::kIndex, queue, place)));
}

void BatchEncoder::remove_rest(QueueId queue, Place place, std::uint64_t bytes,
                               leveldb::WriteBatch& out) {
  // Message::bytes() exceeds the body, so that no body that stands apart is left behind.
  if (bytes > limits_.inline_bytes_least) {
    out.Delete(slice(place_key(KeyRange::kBody, queue, place)));
  }
  if (ledger_.may_have_count(queue, place)) {
    out.Delete(slice(place_key(KeyRange::kReturned, queue, place)));
  }
}

}  // namespace stompbox::queue

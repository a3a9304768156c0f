#pragma once

#include <leveldb/write_batch.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/queue/ledger.h"
#include "storage/queue/queue_store.h"

namespace stompbox::queue {

struct BodyLimits {
  std::size_t inline_bytes_max = 0;      // larger bodies stand apart
  std::uint64_t inline_bytes_least = 0;  // what inline_bytes_max ever was at least (StoreRecord)
};

// Whether deletes may be put off (Ledger::defer).
enum class Deferring : std::uint8_t { kAllowed, kForbidden };

// Turns operations into the puts and deletes of one LevelDB batch, and enters them in the ledger on
// the way; the meta records of the queues that changed close the batch. Committer thread.
class BatchEncoder {
 public:
  // `ledger` outlives this; who calls encode() holds its lock.
  BatchEncoder(Ledger& ledger, BodyLimits limits) : ledger_(ledger), limits_(limits) {}

  // Replaces what `out` holds.
  void encode(const StoreBatch& batch, Deferring deferring, leveldb::WriteBatch& out);

 private:
  void put(const Append& op, leveldb::WriteBatch& out);
  void put(const Erase& op, leveldb::WriteBatch& out);
  void put(const Return& op, leveldb::WriteBatch& out);
  void put(const CreateQueue& op, leveldb::WriteBatch& out);
  void put(const DropQueue& op, leveldb::WriteBatch& out);
  void put(const Discard& discard, leveldb::WriteBatch& out);
  void remove_deferrable(QueueId queue, Place place, std::uint64_t bytes, leveldb::WriteBatch& out);
  void remove_deferred(QueueId queue, PriorityClass priority, leveldb::WriteBatch& out);
  void remove_entry(QueueId queue, Place place, leveldb::WriteBatch& out);
  // Body and delivery count.
  void remove_rest(QueueId queue, Place place, std::uint64_t bytes, leveldb::WriteBatch& out);

  Ledger& ledger_;
  const BodyLimits limits_;
  std::string scratch_;            // the value that is being made
  std::vector<Erase> deferrable_;  // of this batch
};

}  // namespace stompbox::queue

#pragma once

#include <memory>

#include "storage/queue/options.h"
#include "storage/queue/queue_store.h"
#include "storage/result.h"

namespace stompbox::queue {

// Opens the store for this process alone, makes it when it is missing, and begins a new epoch: when
// this returns, the epoch is on stable storage. Reads one record of the store and two a queue, and
// LevelDB's own log; never the messages. Errors are sentences for the operator: kBusy names the
// process that has the store open, kVersion says that it is newer, kCorrupt how to repair it.
[[nodiscard]] storage::Result<std::unique_ptr<QueueStore>> open_leveldb_store(
    const StoreOptions& options);

}  // namespace stompbox::queue

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace stompbox::queue {

enum class SyncPolicy : std::uint8_t {
  kBatch,  // one sync a batch, before its receipts
  kNever,  // receipts mean: written to the log file; the last seconds may be lost with the machine
};

struct StoreOptions {
  std::string path;        // folder of the LevelDB files
  bool in_memory = false;  // --ephemeral: the same code over LevelDB's in-memory environment
  std::uint64_t memory_bytes_max = 512ULL * 1024 * 1024;  // in memory: what counts as a full disk
  std::size_t write_buffer_bytes = 14 * 1024 * 1024;      // twice that may be in memory
  std::size_t table_bytes = 16 * 1024 * 1024;
  std::size_t block_cache_bytes = 8 * 1024 * 1024;
  // Below this much free space appends wait and erases go on (DESIGN §2).
  std::uint64_t free_bytes_floor = 256ULL * 1024 * 1024;
  // Bodies above this stand apart from the index, so that scans do not drag them along.
  std::size_t inline_body_bytes_max = 2048;
};

struct JournalOptions {
  SyncPolicy sync = SyncPolicy::kBatch;
  std::chrono::milliseconds linger{10};        // of a kLinger append
  std::chrono::milliseconds ride{200};         // of kRide work when nothing else comes
  std::chrono::milliseconds full_retry{1000};  // how often a full disk is looked at again
  std::size_t batch_bytes_max = 1024 * 1024;   // a message or a group is never split
};

}  // namespace stompbox::queue

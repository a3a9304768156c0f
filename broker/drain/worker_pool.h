#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "broker/drain/crash_ledger.h"
#include "broker/drain/drain.h"
#include "storage/catalog/catalog_store.h"
#include "storage/catalog/reading/read_catalog.h"
#include "storage/result.h"

namespace stompbox::drain {

// Makes the store of one worker, unopened; called on the thread that makes the pool.
using StoreFactory = std::function<std::unique_ptr<catalog::CatalogStore>()>;

struct WorkerOptions {
  catalog::reading::ReadOptions read;
  std::string store_identity;  // of the queue store: makes arrivals comparable
  std::size_t workers = 1;     // threads, all of which read messages
  std::size_t writers = 1;     // of them those that save too, each with a store of its own
  ChunkBounds chunk{};
  // A save that lasts longer is no longer waited for while other workers have nothing to do: its
  // messages go back to the queue, and its worker is out until the database answers. More than the
  // store's own time-outs, which come first.
  std::chrono::milliseconds save_patience{300'000};
};

struct WorkerCounts {
  std::size_t workers = 1;
  std::size_t writers = 1;
};
// `wanted` 0: a quarter of the cores, 1 to 8. `writers_max`: how many the database takes at once.
[[nodiscard]] WorkerCounts worker_counts(std::size_t wanted, std::size_t writers_max);

// What the workers tell; called on their threads, or by a wind_up() or hand_over() in the middle of
// it, one call at a time: so each posts to the loop. All are needed.
struct WorkerReports {
  // The first time with what the first attempt gave, later only when a failure is over.
  std::function<void(storage::Status)> opened;
  std::function<void(RoundResult)> round_done;
  // The ledger cannot be kept: told once, storing goes on without it.
  std::function<void(storage::Error)> ledger_failed;
};

enum class WorkerEnd : std::uint8_t {
  kFinished,   // all threads have ended
  kAbandoned,  // one still stores; it keeps what it needs, and the process should end soon
};

// The threads that store rounds, one round at a time, by its Lanes. A writer opens its store, uses
// it alone and closes it. The first one makes the schema where there is none, before any other
// looks.
class WorkerPool final : public Workshop {
 public:
  WorkerPool(const StoreFactory& make_store, CrashLedger ledger, WorkerOptions options,
             WorkerReports reports);
  ~WorkerPool() override;  // as stop() with a minute's patience
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Starts the threads; a store is opened at once, so that the schema is there early.
  void start();
  // Loop thread. While the store cannot be opened each round is answered with kRetry.
  void hand_over(Round round) override;
  // Begins nothing more: what is being saved is finished; the rest of the round, rounds that were
  // not begun, and those that are handed over from now on are answered with kRetry.
  void wind_up();
  // The process ends because it was told to: what is under way is no longer held against its
  // messages, however the end comes (CrashLedger). stop() does it too.
  void expect_end();
  // Winds up and ends the threads; what is being saved has so long to finish, and is then left to
  // itself.
  [[nodiscard]] WorkerEnd stop(std::chrono::milliseconds patience);
  // Of the store once one is open; any thread.
  [[nodiscard]] std::string description() const;

 private:
  struct Bench;  // what the threads and their owner share; outlives an abandoned pool
  std::shared_ptr<Bench> bench_;
};

}  // namespace stompbox::drain

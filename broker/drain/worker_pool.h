#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "broker/drain/crash_ledger.h"
#include "broker/drain/drain.h"
#include "storage/catalog/catalog_store.h"
#include "storage/catalog/read_catalog.h"
#include "storage/result.h"

namespace stompbox::drain {

struct WorkerOptions {
  catalog::ReadOptions read;
  std::string store_identity;  // of the queue store: makes arrivals comparable
};

// What the worker tells; called on the worker's thread, so each posts to the loop. All are needed.
struct WorkerReports {
  // The first time with what the first attempt gave, later only when a failure is over.
  std::function<void(storage::Status)> opened;
  std::function<void(RoundResult)> round_done;
  // The ledger cannot be kept: told once, storing goes on without it.
  std::function<void(storage::Error)> ledger_failed;
};

enum class WorkerEnd : std::uint8_t {
  kFinished,   // the thread has ended
  kAbandoned,  // it still stores; it keeps what it needs, and the process should end soon
};

// The threads that store rounds: one, because SQLite has one writer (README.md says where several
// will go). The thread opens the store, uses it alone and closes it.
class WorkerPool final : public Workshop {
 public:
  WorkerPool(std::unique_ptr<catalog::CatalogStore> store, CrashLedger ledger,
             WorkerOptions options, WorkerReports reports);
  ~WorkerPool() override;  // as stop() with a minute's patience
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Starts the thread, which opens the store at once, so that the schema is there early.
  void start();
  // Loop thread. While the store cannot be opened each round is answered with kRetry.
  void hand_over(Round round) override;
  // Ends the thread; a round under way has so long to finish, and is then left to itself. Rounds
  // that were not begun are dropped: their messages are still in the queue.
  [[nodiscard]] WorkerEnd stop(std::chrono::milliseconds patience);
  // Of the store once it is open; any thread.
  [[nodiscard]] std::string description() const;

 private:
  struct Bench;  // what the thread and its owner share; outlives an abandoned pool
  std::shared_ptr<Bench> bench_;
};

}  // namespace stompbox::drain

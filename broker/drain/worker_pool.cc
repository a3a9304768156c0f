#include "broker/drain/worker_pool.h"

#include <cassert>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace stompbox::drain {

struct WorkerPool::Bench {
  Bench(std::unique_ptr<catalog::CatalogStore> the_store, CrashLedger the_ledger,
        WorkerOptions the_options, WorkerReports the_reports)
      : options(std::move(the_options)),
        reports(std::move(the_reports)),
        store(std::move(the_store)),
        ledger(std::move(the_ledger)) {}

  void work();
  std::optional<Round> next_round();
  storage::Status open_store();
  RoundResult store_round(const Round& round);
  void check_ledger(const storage::Status& status);
  void report(RoundResult result);

  const WorkerOptions options;
  const WorkerReports reports;

  // The thread's.
  std::unique_ptr<catalog::CatalogStore> store;
  CrashLedger ledger;
  bool ledger_failed = false;
  bool open = false;
  bool open_reported = false;

  // Guarded by `mutex`.
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Round> rounds;
  std::string description;
  bool stopping = false;
  bool abandoned = false;  // nobody listens any more
  bool ended = false;

  std::thread thread;  // the owner's
};

void WorkerPool::Bench::work() {
  static_cast<void>(open_store());  // reported; each round tries again
  while (const auto round = next_round())
    report(store_round(*round));
  store.reset();
  const std::lock_guard lock(mutex);
  ended = true;
  changed.notify_all();
}

std::optional<Round> WorkerPool::Bench::next_round() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [this] { return stopping || !rounds.empty(); });
  if (stopping) return std::nullopt;
  Round round = std::move(rounds.front());
  rounds.pop_front();
  return round;
}

storage::Status WorkerPool::Bench::open_store() {
  if (open) return storage::kOk;
  storage::Status status = storage::kOk;
  try {
    status = store->open();
  } catch (const std::exception& error) {
    status = storage::Error{storage::ErrorCode::kIo,
                            std::string("opening the database failed: ") + error.what()};
  }
  open = status.has_value();
  if (open) {
    const std::lock_guard lock(mutex);
    description = store->description();
  }
  const bool first = !std::exchange(open_reported, true);
  const std::lock_guard lock(mutex);
  if ((first || open) && !abandoned) reports.opened(status);
  return status;
}

RoundResult WorkerPool::Bench::store_round(const Round& round) {
  if (const auto status = open_store(); !status) return retry_all(round, status.error().text);
  check_ledger(ledger.begin(round));
  RoundResult result = run_round(round, *store, options.read, options.store_identity);
  check_ledger(ledger.finish(round, result));
  return result;
}

void WorkerPool::Bench::check_ledger(const storage::Status& status) {
  if (status || std::exchange(ledger_failed, true)) return;
  const std::lock_guard lock(mutex);
  if (!abandoned) reports.ledger_failed(status.error());
}

// Reports are made under the lock, so that nothing is posted once stop() has given up.
void WorkerPool::Bench::report(RoundResult result) {
  const std::lock_guard lock(mutex);
  if (!abandoned) reports.round_done(std::move(result));
}

WorkerPool::WorkerPool(std::unique_ptr<catalog::CatalogStore> store, CrashLedger ledger,
                       WorkerOptions options, WorkerReports reports)
    : bench_(std::make_shared<Bench>(std::move(store), std::move(ledger), std::move(options),
                                     std::move(reports))) {}

WorkerPool::~WorkerPool() {
  static_cast<void>(stop(std::chrono::minutes{1}));
}

void WorkerPool::start() {
  assert(!bench_->thread.joinable());
  bench_->thread = std::thread([bench = bench_] { bench->work(); });
}

void WorkerPool::hand_over(Round round) {
  const std::lock_guard lock(bench_->mutex);
  bench_->rounds.push_back(std::move(round));
  bench_->changed.notify_all();
}

WorkerEnd WorkerPool::stop(std::chrono::milliseconds patience) {
  if (!bench_->thread.joinable()) return WorkerEnd::kFinished;
  std::unique_lock lock(bench_->mutex);
  bench_->stopping = true;
  bench_->rounds.clear();
  bench_->changed.notify_all();
  const bool ended = bench_->changed.wait_for(lock, patience, [this] { return bench_->ended; });
  bench_->abandoned = !ended;
  lock.unlock();
  if (ended) {
    bench_->thread.join();
    return WorkerEnd::kFinished;
  }
  bench_->thread.detach();
  return WorkerEnd::kAbandoned;
}

std::string WorkerPool::description() const {
  const std::lock_guard lock(bench_->mutex);
  return bench_->description;
}

}  // namespace stompbox::drain

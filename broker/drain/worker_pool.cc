#include "broker/drain/worker_pool.h"

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <variant>

#include "broker/drain/lanes.h"

namespace stompbox::drain {
namespace {

using Clock = std::chrono::steady_clock;
using Lock = std::unique_lock<std::mutex>;

constexpr const char* kStopping = "the broker is stopping";

struct EndWork {};
struct StartRound {
  Round round;
};
struct SaveChunk {
  SaveTask task;
  std::shared_ptr<Lanes> lanes;  // which may end without this save
};
struct FinishRound {};
using Job = std::variant<EndWork, StartRound, ReadTask, SaveChunk, FinishRound>;

storage::Error failure(const char* what, const std::exception& error) {
  return {storage::ErrorCode::kIo, std::string(what) + error.what()};
}

}  // namespace

// A round's way: rounds ──StartRound──▶ lanes ──tasks──▶ finished ──FinishRound──▶ reported. One
// without items, a question to the database, is reported at its start.
struct WorkerPool::Bench {
  struct Saving {
    std::vector<std::size_t> indexes;
    Clock::time_point since;
  };
  struct Worker {
    // The thread's.
    std::unique_ptr<catalog::CatalogStore> store;  // null: it only reads messages
    bool open = false;
    // Guarded by `mutex`.
    std::optional<Saving> saving;  // empty again when it was abandoned
    bool ended = false;

    std::thread thread;  // the owner's
  };
  enum class Phase : std::uint8_t { kIdle, kStarting, kWorking, kFinishing };

  Bench(const StoreFactory& make_store, CrashLedger the_ledger, WorkerOptions the_options,
        WorkerReports the_reports);

  void work(Worker& self);
  Job next_job(Worker& self);
  std::optional<Job> look_for_job(Worker& self);
  void wait(Lock& lock);
  void abandon_overdue(Clock::time_point now);

  void start_round(Worker& self, Round round);
  void read(const ReadTask& task);
  void save(Worker& self, const SaveChunk& chunk);
  void finish_round();

  storage::Status open_store(Worker& self);
  void report_opened(const storage::Status& status);
  void begin_ledger(const Round& round);
  void finish_ledger(const Round& round, const RoundResult& result);
  void end_ledger();
  void check_ledger(const storage::Status& status);
  void report(RoundResult result);
  void turn_away(const Round& round);
  template <typename Note>
  void note(Note note);
  void wind_up();
  [[nodiscard]] bool all_ended() const;

  const WorkerOptions options;
  const WorkerReports reports;
  std::vector<Worker> workers;  // constant, but for what is in them

  // Guarded by `ledger_mutex`, which is never taken while `mutex` is held.
  std::mutex ledger_mutex;
  CrashLedger ledger;

  // Guarded by `mutex`.
  std::mutex mutex;
  bool ledger_failed = false;
  std::condition_variable changed;
  std::deque<Round> rounds;
  Phase phase = Phase::kIdle;
  std::shared_ptr<Lanes> lanes;  // of kWorking; its round may be read without the lock
  std::string description;
  bool opening_was_tried = false;
  bool opening_failed = false;  // as was reported
  bool stopping = false;
  bool abandoned = false;  // nobody listens any more
};

WorkerPool::Bench::Bench(const StoreFactory& make_store, CrashLedger the_ledger,
                         WorkerOptions the_options, WorkerReports the_reports)
    : options(std::move(the_options)),
      reports(std::move(the_reports)),
      workers(options.workers),
      ledger(std::move(the_ledger)) {
  assert(options.writers > 0 && options.writers <= options.workers);
  for (std::size_t i = 0; i < options.writers; ++i)
    workers[i].store = make_store();
}

void WorkerPool::Bench::work(Worker& self) {
  // The others open theirs when they need it. A failure is reported; each round tries again.
  if (&self == workers.data()) static_cast<void>(open_store(self));
  while (true) {
    Job job = next_job(self);
    if (std::holds_alternative<EndWork>(job)) break;
    if (auto* start = std::get_if<StartRound>(&job)) start_round(self, std::move(start->round));
    if (const auto* task = std::get_if<ReadTask>(&job)) read(*task);
    if (const auto* chunk = std::get_if<SaveChunk>(&job)) save(self, *chunk);
    if (std::holds_alternative<FinishRound>(job)) finish_round();
  }
  self.store.reset();
  const std::lock_guard lock(mutex);
  self.ended = true;
  changed.notify_all();
}

Job WorkerPool::Bench::next_job(Worker& self) {
  Lock lock(mutex);
  while (true) {
    if (auto job = look_for_job(self)) return std::move(*job);
    wait(lock);
  }
}

std::optional<Job> WorkerPool::Bench::look_for_job(Worker& self) {
  if (abandoned) return EndWork{};
  if (phase == Phase::kIdle) {
    if (stopping) return EndWork{};
    if (self.store == nullptr || !opening_was_tried || rounds.empty()) return std::nullopt;
    phase = Phase::kStarting;
    StartRound job{std::move(rounds.front())};
    rounds.pop_front();
    return job;
  }
  if (phase != Phase::kWorking) return std::nullopt;
  Task task;
  note([&] { task = lanes->next(self.store ? WorkerRole::kReadsAndSaves : WorkerRole::kReads); });
  if (const auto* read = std::get_if<ReadTask>(&task)) return *read;
  if (auto* save = std::get_if<SaveTask>(&task)) {
    self.saving = Saving{indexes_of(*save), Clock::now()};
    return SaveChunk{std::move(*save), lanes};
  }
  if (!lanes->finished()) return std::nullopt;
  phase = Phase::kFinishing;
  return FinishRound{};
}

// Who has nothing to do watches over the saves.
void WorkerPool::Bench::wait(Lock& lock) {
  std::optional<Clock::time_point> first;
  for (const Worker& worker : workers) {
    if (worker.saving) first = std::min(first.value_or(worker.saving->since), worker.saving->since);
  }
  if (!first) return changed.wait(lock);
  changed.wait_until(lock, *first + options.save_patience);
  abandon_overdue(Clock::now());
}

void WorkerPool::Bench::abandon_overdue(Clock::time_point now) {
  for (Worker& worker : workers) {
    if (!worker.saving || now < worker.saving->since + options.save_patience) continue;
    const Saving overdue = std::move(*worker.saving);
    worker.saving.reset();
    const auto waited = std::chrono::duration_cast<std::chrono::seconds>(options.save_patience);
    note([&] {
      lanes->abandon(overdue.indexes,
                     "the database has not answered for " + std::to_string(waited.count()) + " s");
    });
    changed.notify_all();
  }
}

// Changes the lanes under the lock; without memory for that the round ends.
template <typename Note>
void WorkerPool::Bench::note(Note note) {
  try {
    note();
  } catch (const std::exception& error) {
    lanes->give_up(failure("storing failed: ", error).text);
  }
}

void WorkerPool::Bench::start_round(Worker& self, Round round) {
  std::shared_ptr<Lanes> begun;
  if (const auto status = open_store(self); !status) {
    report(retry_all(round, status.error().text));
  } else if (round.items.empty()) {
    report(ask_database(round, *self.store));
  } else {
    begin_ledger(round);
    begun = std::make_shared<Lanes>(std::move(round), options.chunk, options.writers);
  }
  const std::lock_guard lock(mutex);
  lanes = std::move(begun);
  phase = lanes ? Phase::kWorking : Phase::kIdle;
  if (lanes && stopping) lanes->give_up(kStopping);
  changed.notify_all();
}

void WorkerPool::Bench::read(const ReadTask& task) {
  auto content = read_message(lanes->round().items[task.index], options.read);
  const std::lock_guard lock(mutex);
  note([&] { lanes->on_read(task.index, std::move(content)); });
  changed.notify_all();
}

void WorkerPool::Bench::save(Worker& self, const SaveChunk& chunk) {
  std::vector<catalog::SaveOutcome> outcomes;
  if (const auto status = open_store(self); status) {
    outcomes = save_messages(chunk.task, chunk.lanes->round(), *self.store, options.store_identity);
  } else {
    outcomes.assign(chunk.task.messages.size(),
                    {catalog::SaveStatus::kTransient, status.error(), {}});
  }
  const std::lock_guard lock(mutex);
  if (!std::exchange(self.saving, std::nullopt)) return;  // abandoned
  note([&] { lanes->on_saved(indexes_of(chunk.task), std::move(outcomes)); });
  changed.notify_all();
}

void WorkerPool::Bench::finish_round() {
  RoundResult result = lanes->take_result();
  finish_ledger(lanes->round(), result);
  report(std::move(result));
  const std::lock_guard lock(mutex);
  lanes.reset();
  phase = Phase::kIdle;
  changed.notify_all();
}

storage::Status WorkerPool::Bench::open_store(Worker& self) {
  if (self.open) return storage::kOk;
  storage::Status status = storage::kOk;
  try {
    status = self.store->open();
  } catch (const std::exception& error) {
    status = failure("opening the database failed: ", error);
  }
  self.open = status.has_value();
  const std::lock_guard lock(mutex);
  if (self.open) description = self.store->description();
  report_opened(status);
  opening_was_tried = true;
  changed.notify_all();
  return status;
}

// Under the lock, as every report, so that nothing is posted once stop() has given up.
void WorkerPool::Bench::report_opened(const storage::Status& status) {
  const bool first = !opening_was_tried;
  const bool over = status && opening_failed;
  if ((!first && !over) || abandoned) return;
  opening_failed = !status.has_value();
  reports.opened(status);
}

void WorkerPool::Bench::begin_ledger(const Round& round) {
  std::unique_lock lock(ledger_mutex);
  const auto status = ledger.begin(round);
  lock.unlock();
  check_ledger(status);
}

void WorkerPool::Bench::finish_ledger(const Round& round, const RoundResult& result) {
  std::unique_lock lock(ledger_mutex);
  const auto status = ledger.finish(round, result);
  lock.unlock();
  check_ledger(status);
}

void WorkerPool::Bench::end_ledger() {
  std::unique_lock lock(ledger_mutex);
  const auto status = ledger.end_in_order();
  lock.unlock();
  check_ledger(status);
}

void WorkerPool::Bench::check_ledger(const storage::Status& status) {
  if (status) return;
  const std::lock_guard lock(mutex);
  if (!std::exchange(ledger_failed, true) && !abandoned) reports.ledger_failed(status.error());
}

void WorkerPool::Bench::report(RoundResult result) {
  const std::lock_guard lock(mutex);
  if (!abandoned) reports.round_done(std::move(result));
}

// Of a round that is not begun any more; under the lock.
void WorkerPool::Bench::turn_away(const Round& round) {
  if (!abandoned) reports.round_done(retry_all(round, kStopping));
}

void WorkerPool::Bench::wind_up() {
  stopping = true;
  for (const Round& round : std::exchange(rounds, {}))
    turn_away(round);
  if (lanes) lanes->give_up(kStopping);
  changed.notify_all();
}

bool WorkerPool::Bench::all_ended() const {
  return std::all_of(workers.begin(), workers.end(), [](const auto& w) { return w.ended; });
}

WorkerCounts worker_counts(std::size_t wanted, std::size_t writers_max) {
  const std::size_t cores = std::thread::hardware_concurrency();
  const std::size_t workers = wanted > 0 ? wanted : std::clamp<std::size_t>(cores / 4, 1, 8);
  return {workers, std::clamp<std::size_t>(writers_max, 1, workers)};
}

WorkerPool::WorkerPool(const StoreFactory& make_store, CrashLedger ledger, WorkerOptions options,
                       WorkerReports reports)
    : bench_(std::make_shared<Bench>(make_store, std::move(ledger), std::move(options),
                                     std::move(reports))) {}

WorkerPool::~WorkerPool() {
  static_cast<void>(stop(std::chrono::minutes{1}));
}

void WorkerPool::start() {
  for (Bench::Worker& worker : bench_->workers) {
    assert(!worker.thread.joinable());
    worker.thread = std::thread([bench = bench_, &worker] { bench->work(worker); });
  }
}

void WorkerPool::hand_over(Round round) {
  const std::lock_guard lock(bench_->mutex);
  if (bench_->stopping) return bench_->turn_away(round);
  bench_->rounds.push_back(std::move(round));
  bench_->changed.notify_all();
}

void WorkerPool::wind_up() {
  const std::lock_guard lock(bench_->mutex);
  bench_->wind_up();
}

void WorkerPool::expect_end() {
  bench_->end_ledger();
}

WorkerEnd WorkerPool::stop(std::chrono::milliseconds patience) {
  std::vector<Bench::Worker>& workers = bench_->workers;
  if (!workers.front().thread.joinable()) return WorkerEnd::kFinished;
  expect_end();
  Lock lock(bench_->mutex);
  bench_->wind_up();
  const bool ended =
      bench_->changed.wait_for(lock, patience, [this] { return bench_->all_ended(); });
  bench_->abandoned = !ended;
  bench_->changed.notify_all();
  lock.unlock();
  for (Bench::Worker& worker : workers)
    ended ? worker.thread.join() : worker.thread.detach();
  return ended ? WorkerEnd::kFinished : WorkerEnd::kAbandoned;
}

std::string WorkerPool::description() const {
  const std::lock_guard lock(bench_->mutex);
  return bench_->description;
}

}  // namespace stompbox::drain

#include "broker/drain/worker_pool.h"

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>

#include "tests/unit/drain/scripted_store.h"

using namespace stompbox;
using namespace stompbox::drain;
using namespace std::chrono_literals;

namespace {

// What the worker reported, to be waited for.
class Reports {
 public:
  WorkerReports callbacks() {
    return {[this](storage::Status status) { note(opened_, std::move(status)); },
            [this](RoundResult result) { note(rounds_, std::move(result)); },
            [this](storage::Error error) { note(ledger_errors_, std::move(error)); }};
  }
  storage::Status opened() { return take(opened_); }
  RoundResult round_done() { return take(rounds_); }
  storage::Error ledger_failed() { return take(ledger_errors_); }

 private:
  template <typename T>
  void note(std::deque<T>& list, T value) {
    const std::lock_guard lock(mutex_);
    list.push_back(std::move(value));
    changed_.notify_all();
  }
  template <typename T>
  T take(std::deque<T>& list) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 20s, [&list] { return !list.empty(); }));
    T value = std::move(list.front());
    list.pop_front();
    return value;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<storage::Status> opened_;
  std::deque<RoundResult> rounds_;
  std::deque<storage::Error> ledger_errors_;
};

// A door that a save stands before until it is opened.
struct Door {
  void pass() {
    std::unique_lock lock(mutex);
    reached = true;
    changed.notify_all();
    changed.wait(lock, [this] { return open; });
  }
  void wait_reached() {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, 20s, [this] { return reached; }));
  }
  void unlock() {
    const std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }
  std::mutex mutex;
  std::condition_variable changed;
  bool reached = false;
  bool open = false;
};

class SlowStore final : public catalog::CatalogStore {
 public:
  explicit SlowStore(std::shared_ptr<Door> door) : door_(std::move(door)) {}
  storage::Status open() override { return storage::kOk; }
  std::vector<catalog::SaveOutcome> save(std::span<const catalog::CatalogSave> saves) override {
    door_->pass();
    return std::vector<catalog::SaveOutcome>(saves.size());
  }
  std::vector<catalog::SaveOutcome> save_facts(std::span<const catalog::FactsSave>) override {
    return {};
  }
  std::string description() const override { return "slow store"; }

 private:
  std::shared_ptr<Door> door_;
};

Round one_catalog(std::uint64_t number) {
  auto message = std::make_shared<queue::Message>();
  message->id = {number};
  message->body = catalog_body("a");
  return {number, {{number, MessageKind::kCatalog, message}}};
}

}  // namespace

TEST_CASE("the worker opens the store at once, stores rounds and answers each") {
  Reports reports;
  WorkerPool pool(std::make_unique<ScriptedStore>(), {}, {{}, "store-1"}, reports.callbacks());
  CHECK(pool.description().empty());
  pool.start();
  CHECK(reports.opened());
  CHECK(pool.description() == "scripted store");
  pool.hand_over(one_catalog(1));
  pool.hand_over(one_catalog(2));
  CHECK(reports.round_done().number == 1);
  CHECK(reports.round_done().items.at(0).fate == ItemFate::kStored);
  CHECK(pool.stop(20s) == WorkerEnd::kFinished);
}

TEST_CASE("while the store cannot be opened rounds are answered with retry and the reason") {
  Reports reports;
  auto store = std::make_unique<ScriptedStore>();
  store->open_status = storage::Error{storage::ErrorCode::kDenied, "cannot open it"};
  WorkerPool pool(std::move(store), {}, {{}, "store-1"}, reports.callbacks());
  pool.start();
  CHECK_FALSE(reports.opened());
  pool.hand_over(one_catalog(1));
  const auto result = reports.round_done();
  CHECK(result.items.at(0).fate == ItemFate::kRetry);
  CHECK(result.items.at(0).reason == "cannot open it");
}

TEST_CASE("stop waits for the round under way") {
  Reports reports;
  const auto door = std::make_shared<Door>();
  WorkerPool pool(std::make_unique<SlowStore>(door), {}, {{}, "store-1"}, reports.callbacks());
  pool.start();
  pool.hand_over(one_catalog(1));
  door->wait_reached();
  door->unlock();
  CHECK(pool.stop(20s) == WorkerEnd::kFinished);
  CHECK(reports.round_done().number == 1);
}

TEST_CASE("stop gives up a round that outlasts its patience, and is told nothing of it later") {
  const auto door = std::make_shared<Door>();
  {
    auto reports = std::make_unique<Reports>();
    WorkerPool pool(std::make_unique<SlowStore>(door), {}, {{}, "store-1"}, reports->callbacks());
    pool.start();
    pool.hand_over(one_catalog(1));
    door->wait_reached();
    CHECK(pool.stop(1ms) == WorkerEnd::kAbandoned);
  }
  door->unlock();
}

TEST_CASE("a ledger that cannot be kept is told once and storing goes on") {
  Reports reports;
  WorkerPool pool(std::make_unique<ScriptedStore>(), CrashLedger("/nonexistent-folder/l", "s"),
                  {{}, "s"}, reports.callbacks());
  pool.start();
  for (std::uint64_t number = 1; number <= 2; ++number) {
    pool.hand_over(one_catalog(number));
    CHECK(reports.round_done().items.at(0).fate == ItemFate::kStored);
  }
  CHECK(reports.ledger_failed().code == storage::ErrorCode::kIo);
}

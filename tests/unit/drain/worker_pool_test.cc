#include "broker/drain/worker_pool.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

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
  // `node`: whose catalogs stand before the door; empty: all.
  explicit SlowStore(std::shared_ptr<Door> door, std::string node = {})
      : door_(std::move(door)), node_(std::move(node)) {}
  storage::Status open() override { return storage::kOk; }
  std::vector<catalog::SaveOutcome> save(std::span<const catalog::CatalogSave> saves) override {
    if (node_.empty() || saves[0].catalog->node == node_) door_->pass();
    return std::vector<catalog::SaveOutcome>(saves.size());
  }
  std::vector<catalog::SaveOutcome> save_facts(std::span<const catalog::FactsSave>) override {
    return {};
  }
  std::string description() const override { return "slow store"; }

 private:
  std::shared_ptr<Door> door_;
  std::string node_;
};

// Saves that end only when three of them are under way.
struct Meeting {
  std::mutex mutex;
  std::condition_variable changed;
  std::set<const void*> stores;
};

class MeetingStore final : public catalog::CatalogStore {
 public:
  explicit MeetingStore(std::shared_ptr<Meeting> meeting) : meeting_(std::move(meeting)) {}
  storage::Status open() override { return storage::kOk; }
  std::vector<catalog::SaveOutcome> save(std::span<const catalog::CatalogSave> saves) override {
    std::unique_lock lock(meeting_->mutex);
    meeting_->stores.insert(this);
    meeting_->changed.notify_all();
    const bool met =
        meeting_->changed.wait_for(lock, 20s, [this] { return meeting_->stores.size() == 3; });
    const auto status = met ? catalog::SaveStatus::kStored : catalog::SaveStatus::kTransient;
    return std::vector<catalog::SaveOutcome>(saves.size(), {status, {}, {}});
  }
  std::vector<catalog::SaveOutcome> save_facts(std::span<const catalog::FactsSave>) override {
    return {};
  }
  std::string description() const override { return "meeting store"; }

 private:
  std::shared_ptr<Meeting> meeting_;
};

struct Openings {
  std::atomic<bool> first_is_over = false;
  std::atomic<int> under_way = 0;
  std::atomic<bool> crossed_the_first = false;
};

class OpeningStore final : public catalog::CatalogStore {
 public:
  explicit OpeningStore(std::shared_ptr<Openings> openings) : openings_(std::move(openings)) {}
  storage::Status open() override {
    const bool alone = openings_->under_way++ == 0;
    if (!alone && !openings_->first_is_over) openings_->crossed_the_first = true;
    std::this_thread::yield();
    --openings_->under_way;
    openings_->first_is_over = true;
    return storage::kOk;
  }
  std::vector<catalog::SaveOutcome> save(std::span<const catalog::CatalogSave> saves) override {
    return std::vector<catalog::SaveOutcome>(saves.size());
  }
  std::vector<catalog::SaveOutcome> save_facts(std::span<const catalog::FactsSave>) override {
    return {};
  }
  std::string description() const override { return "opening store"; }

 private:
  std::shared_ptr<Openings> openings_;
};

// Opens always, and takes what it is told to.
class MoodyStore final : public catalog::CatalogStore {
 public:
  explicit MoodyStore(std::shared_ptr<std::atomic<bool>> takes) : takes_(std::move(takes)) {}
  storage::Status open() override { return storage::kOk; }
  storage::Status probe() override {
    return *takes_ ? storage::kOk
                   : storage::Status(storage::Error{storage::ErrorCode::kBusy, "locked"});
  }
  std::vector<catalog::SaveOutcome> save(std::span<const catalog::CatalogSave> saves) override {
    return std::vector<catalog::SaveOutcome>(saves.size());
  }
  std::vector<catalog::SaveOutcome> save_facts(std::span<const catalog::FactsSave>) override {
    return {};
  }
  std::string description() const override { return "moody store"; }

 private:
  std::shared_ptr<std::atomic<bool>> takes_;
};

struct TempFile {
  explicit TempFile(const std::string& name)
      : path((std::filesystem::temp_directory_path() / (name + "-" + std::to_string(::getpid())))
                 .string()) {}
  ~TempFile() { std::filesystem::remove(path); }
  const std::string path;
};

// Whom the next start would suspect.
std::size_t suspects_in(const TempFile& file) {
  const std::string copy = file.path + ".copy";
  std::error_code none;
  if (!std::filesystem::copy_file(file.path, copy, none)) return 0;
  CrashLedger ledger(copy, "s");
  CHECK(ledger.load());
  std::filesystem::remove(copy);
  return ledger.suspects().size();
}

WorkerOptions several(std::size_t workers, std::size_t writers) {
  WorkerOptions options{{}, "store-1"};
  options.workers = workers;
  options.writers = writers;
  return options;
}

StoreFactory slow_stores(const std::shared_ptr<Door>& door) {
  return [door] { return std::make_unique<SlowStore>(door); };
}

std::unique_ptr<catalog::CatalogStore> scripted_store() {
  return std::make_unique<ScriptedStore>();
}

Round round_of(const std::vector<std::string>& nodes, std::uint64_t first_number = 1) {
  Round round{first_number, {}};
  for (const std::string& node : nodes) {
    auto message = std::make_shared<queue::Message>();
    message->id = {first_number + round.items.size()};
    message->body = catalog_body(node);
    round.items.push_back({message->id.value, MessageKind::kCatalog, std::move(message)});
  }
  return round;
}

Round one_catalog(std::uint64_t number) {
  return round_of({"a"}, number);
}

using Fates = std::vector<ItemFate>;

Fates fates(const RoundResult& result) {
  Fates all;
  for (const ItemResult& item : result.items)
    all.push_back(item.fate);
  return all;
}

}  // namespace

TEST_CASE("the worker opens the store at once, stores rounds and answers each") {
  Reports reports;
  WorkerPool pool(scripted_store, {}, {{}, "store-1"}, reports.callbacks());
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
  const StoreFactory denied = [] {
    auto store = std::make_unique<ScriptedStore>();
    store->open_status = storage::Error{storage::ErrorCode::kDenied, "cannot open it"};
    return store;
  };
  WorkerPool pool(denied, {}, {{}, "store-1"}, reports.callbacks());
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
  WorkerPool pool(slow_stores(door), {}, {{}, "store-1"}, reports.callbacks());
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
    WorkerPool pool(slow_stores(door), {}, {{}, "store-1"}, reports->callbacks());
    pool.start();
    pool.hand_over(one_catalog(1));
    door->wait_reached();
    CHECK(pool.stop(1ms) == WorkerEnd::kAbandoned);
  }
  door->unlock();
}

TEST_CASE("a save that outlasts the stop is not held against its message") {
  const TempFile file("worker-pool-ledger");
  const auto door = std::make_shared<Door>();
  Reports reports;
  WorkerPool pool(slow_stores(door), CrashLedger(file.path, "s"), {{}, "s"}, reports.callbacks());
  pool.start();
  pool.hand_over(one_catalog(1));
  door->wait_reached();
  CHECK(suspects_in(file) == 1);
  SUBCASE("that is waited for in vain") {
    CHECK(pool.stop(1ms) == WorkerEnd::kAbandoned);
  }
  SUBCASE("that has only been announced") {
    pool.expect_end();
  }
  CHECK(suspects_in(file) == 0);
  door->unlock();
}

TEST_CASE("a round without items is answered by whether the database takes anything") {
  Reports reports;
  const auto answer = std::make_shared<std::atomic<bool>>(false);
  const StoreFactory moody = [answer] { return std::make_unique<MoodyStore>(answer); };
  WorkerPool pool(moody, {}, {{}, "s"}, reports.callbacks());
  pool.start();
  pool.hand_over({1, {}});
  CHECK(reports.round_done().trouble == "locked");
  *answer = true;
  pool.hand_over({2, {}});
  CHECK_FALSE(reports.round_done().trouble);
}

TEST_CASE("a ledger that cannot be kept is told once and storing goes on") {
  Reports reports;
  WorkerPool pool(scripted_store, CrashLedger("/nonexistent-folder/l", "s"), {{}, "s"},
                  reports.callbacks());
  pool.start();
  for (std::uint64_t number = 1; number <= 2; ++number) {
    pool.hand_over(one_catalog(number));
    CHECK(reports.round_done().items.at(0).fate == ItemFate::kStored);
  }
  CHECK(reports.ledger_failed().code == storage::ErrorCode::kIo);
}

TEST_CASE("after wind_up what is being saved is finished and the rest of the round goes back") {
  Reports reports;
  const auto door = std::make_shared<Door>();
  WorkerOptions options{{}, "store-1"};
  options.chunk.count_max = 1;
  WorkerPool pool(slow_stores(door), {}, options, reports.callbacks());
  pool.start();
  pool.hand_over(round_of({"a", "b", "c"}));
  door->wait_reached();
  pool.wind_up();
  door->unlock();
  const auto result = reports.round_done();
  CHECK(fates(result) == Fates{ItemFate::kRetry, ItemFate::kRetry, ItemFate::kStored});
  CHECK(result.items[0].reason == "the broker is stopping");
  CHECK(pool.stop(20s) == WorkerEnd::kFinished);
}

TEST_CASE("a round that was not begun at the end goes back, as one does that comes too late") {
  Reports reports;
  const auto door = std::make_shared<Door>();
  WorkerPool pool(slow_stores(door), {}, {{}, "store-1"}, reports.callbacks());
  pool.start();
  pool.hand_over(one_catalog(1));
  door->wait_reached();
  pool.hand_over(round_of({"b", "c"}, 2));
  pool.wind_up();
  const auto not_begun = reports.round_done();
  CHECK(not_begun.number == 2);
  CHECK(fates(not_begun) == Fates(2, ItemFate::kRetry));
  CHECK(not_begun.items[1].reason == "the broker is stopping");
  pool.hand_over(one_catalog(4));
  CHECK(reports.round_done().number == 4);
  door->unlock();
  CHECK(reports.round_done().number == 1);
  CHECK(pool.stop(20s) == WorkerEnd::kFinished);
}

TEST_CASE("several writers save different nodes at the same time, each with a store of its own") {
  Reports reports;
  const auto meeting = std::make_shared<Meeting>();
  WorkerPool pool([meeting] { return std::make_unique<MeetingStore>(meeting); }, {}, several(3, 3),
                  reports.callbacks());
  pool.start();
  pool.hand_over(round_of({"a", "b", "c"}));
  CHECK(fates(reports.round_done()) == Fates(3, ItemFate::kStored));
  CHECK(meeting->stores.size() == 3);
}

TEST_CASE("the first worker has tried the database before any other looks") {
  Reports reports;
  const auto openings = std::make_shared<Openings>();
  WorkerPool pool([openings] { return std::make_unique<OpeningStore>(openings); }, {},
                  several(3, 3), reports.callbacks());
  pool.hand_over(round_of({"a", "b", "c", "d"}));
  pool.start();
  CHECK(fates(reports.round_done()) == Fates(4, ItemFate::kStored));
  CHECK_FALSE(openings->crossed_the_first);
}

TEST_CASE("a save that hangs stops the others no longer than it is waited for") {
  Reports reports;
  const auto door = std::make_shared<Door>();
  WorkerOptions options = several(2, 2);
  options.save_patience = 1ms;
  WorkerPool pool([door] { return std::make_unique<SlowStore>(door, "hangs"); }, {}, options,
                  reports.callbacks());
  pool.start();
  pool.hand_over(round_of({"hangs"}));
  const auto lost = reports.round_done();
  CHECK(lost.items[0].fate == ItemFate::kRetry);
  CHECK(lost.items[0].reason.starts_with("the database has not answered for "));
  for (int round = 0; round < 3; ++round) {
    pool.hand_over(round_of({"a"}));
    CHECK(fates(reports.round_done()) == Fates{ItemFate::kStored});
  }
  SUBCASE("and is given up at the end") {
    CHECK(pool.stop(1ms) == WorkerEnd::kAbandoned);
  }
  SUBCASE("its worker takes part again when the database answers") {
    door->unlock();
    pool.hand_over(round_of({"a", "hangs"}));
    CHECK(fates(reports.round_done()) == Fates(2, ItemFate::kStored));
    CHECK(pool.stop(20s) == WorkerEnd::kFinished);
  }
  door->unlock();
}

TEST_CASE("the automatic number of workers is between 1 and 8, a given one is obeyed") {
  CHECK(worker_counts(0, 100).workers >= 1);
  CHECK(worker_counts(0, 100).workers <= 8);
  CHECK(worker_counts(5, 100).writers == 5);
  CHECK(worker_counts(5, 1).workers == 5);
  CHECK(worker_counts(5, 1).writers == 1);
}

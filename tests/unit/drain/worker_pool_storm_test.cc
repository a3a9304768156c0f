// Many nodes, many messages and N workers against a database that fails, throws and dawdles.

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "broker/drain/worker_pool.h"
#include "tests/unit/drain/scripted_store.h"

using namespace stompbox;
using namespace stompbox::drain;
using namespace std::chrono_literals;
using catalog::SaveOutcome;
using catalog::SaveStatus;

namespace {

constexpr std::size_t kMessages = 600;
constexpr std::size_t kNodes = 40;
constexpr std::size_t kWindow = 96;

// The one database behind all stores; notices what must not happen.
class Database {
 public:
  explicit Database(std::uint32_t seed) : random_(seed) {}

  std::vector<SaveOutcome> save(const std::vector<std::pair<std::string, std::uint64_t>>& saves) {
    std::size_t dawdle = 0;
    std::vector<SaveOutcome> outcomes;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [node, number] : saves)
        twice_at_once_ = twice_at_once_ || !being_saved_.insert(node).second;
      dawdle = random_() % 200;
    }
    for (std::size_t i = 0; i < dawdle; ++i)
      std::this_thread::yield();
    const std::lock_guard lock(mutex_);
    for (const auto& [node, number] : saves)
      being_saved_.erase(node);
    if (random_() % 40 == 0) throw std::runtime_error("the library gave up");
    bool failed = false;  // what comes after a failure in one call fails too
    for (const auto& [node, number] : saves) {
      failed = failed || random_() % 60 == 0;
      outcomes.push_back(failed ? outcome(SaveStatus::kTransient) : store(node, number));
    }
    return outcomes;
  }

  // Every 11th message of the storm is refused for good.
  static bool is_refused(std::uint64_t number) { return number % 11 == 0; }
  std::map<std::string, std::uint64_t> stored() const {
    const std::lock_guard lock(mutex_);
    return stored_;
  }
  bool twice_at_once() const {
    const std::lock_guard lock(mutex_);
    return twice_at_once_;
  }

 private:
  static SaveOutcome outcome(SaveStatus status) {
    return {status, {storage::ErrorCode::kBusy, "no"}, {}};
  }

  SaveOutcome store(const std::string& node, std::uint64_t number) {
    if (is_refused(number)) return outcome(SaveStatus::kPermanent);
    std::uint64_t& newest = stored_[node];
    // One that comes back after trouble, when a newer one has been stored: by its arrival (P6).
    if (newest > number) return outcome(SaveStatus::kSuperseded);
    newest = number;
    return {};
  }

  mutable std::mutex mutex_;
  std::mt19937 random_;
  std::map<std::string, std::uint64_t> stored_;  // arrivals
  std::set<std::string> being_saved_;
  bool twice_at_once_ = false;
};

class StormStore final : public catalog::CatalogStore {
 public:
  explicit StormStore(Database& database) : database_(database) {}
  storage::Status open() override { return storage::kOk; }
  std::vector<SaveOutcome> save(std::span<const catalog::CatalogSave> saves) override {
    std::vector<std::pair<std::string, std::uint64_t>> all;
    for (const auto& one : saves)
      all.emplace_back(one.catalog->node, one.arrival.number);
    return database_.save(all);
  }
  std::vector<SaveOutcome> save_facts(std::span<const catalog::FactsSave>) override { return {}; }
  std::string description() const override { return "storm"; }

 private:
  Database& database_;
};

struct Answers {
  RoundResult next() {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, 20s, [this] { return !results.empty(); }));
    RoundResult result = std::move(results.front());
    results.pop_front();
    return result;
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<RoundResult> results;
};

// A queue of messages, drained as Drain does it: rounds of what waits, the rest comes again.
class Storm {
 public:
  explicit Storm(std::uint32_t seed) : random_(seed), database_(seed) {
    for (std::uint64_t number = 1; number <= kMessages; ++number) {
      auto message = std::make_shared<queue::Message>();
      message->id = {number};
      node_of_[number] = "node" + std::to_string(random_() % kNodes);
      const bool poison = random_() % 20 == 0;
      if (poison) unreadable_.insert(number);
      message->body = poison ? "{" : catalog_body(node_of_[number]);
      queue_.push_back({number, MessageKind::kCatalog, std::move(message)});
    }
  }

  void drain(std::size_t workers, std::size_t writers) {
    WorkerOptions options{{}, "s"};
    options.workers = workers;
    options.writers = writers;
    options.chunk.count_max = 1 + random_() % 8;
    Answers answers;
    WorkerPool pool([this] { return std::make_unique<StormStore>(database_); }, {}, options,
                    {[](const storage::Status&) {},
                     [&answers](RoundResult result) {
                       const std::lock_guard lock(answers.mutex);
                       answers.results.push_back(std::move(result));
                       answers.changed.notify_all();
                     },
                     [](const storage::Error&) {}});
    pool.start();
    for (std::uint64_t number = 1; !queue_.empty(); ++number) {
      REQUIRE(number < 20 * kMessages);
      pool.hand_over({number, window()});
      settle(answers.next());
    }
    CHECK(pool.stop(20s) == WorkerEnd::kFinished);
  }

  void check() const {
    CHECK_FALSE(database_.twice_at_once());
    std::map<std::string, std::uint64_t> newest;
    for (const auto& [number, node] : node_of_) {
      const bool good = !unreadable_.contains(number) && !Database::is_refused(number);
      if (good) newest[node] = number;
      CHECK(acknowledged_.contains(number) + dead_.contains(number) == 1);
      if (dead_.contains(number)) CHECK_FALSE(good);
      if (unreadable_.contains(number)) CHECK(dead_.contains(number));
    }
    CHECK(database_.stored() == newest);
  }

 private:
  std::vector<RoundItem> window() const {
    const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), kWindow));
    return {queue_.begin(), queue_.begin() + count};
  }

  void settle(const RoundResult& result) {
    const auto stored = database_.stored();
    for (const ItemResult& item : result.items) {
      if (item.fate == ItemFate::kRetry) continue;
      const auto gone = [&item](const RoundItem& waiting) { return waiting.item == item.item; };
      REQUIRE(std::erase_if(queue_, gone) == 1);
      if (item.fate == ItemFate::kDeadLetter) {
        dead_.insert(item.item);
        continue;
      }
      // Acknowledged: this one is in the database, or a newer one is.
      CHECK(stored.at(node_of_.at(item.item)) >= item.item);
      acknowledged_.insert(item.item);
    }
  }

  std::mt19937 random_;
  Database database_;
  std::deque<RoundItem> queue_;
  std::map<std::uint64_t, std::string> node_of_;
  std::set<std::uint64_t> unreadable_, acknowledged_, dead_;
};

}  // namespace

TEST_CASE("a storm of messages on N workers loses none and stores each node's newest") {
  std::uint32_t seed = 1;
  for (const auto& [workers, writers] :
       {std::pair{1, 1}, std::pair{2, 2}, std::pair{4, 4}, std::pair{8, 8}, std::pair{4, 1}}) {
    for (int repetition = 0; repetition < 4; ++repetition, ++seed) {
      CAPTURE(seed);
      CAPTURE(workers);
      CAPTURE(writers);
      Storm storm(seed);
      storm.drain(static_cast<std::size_t>(workers), static_cast<std::size_t>(writers));
      storm.check();
    }
  }
}

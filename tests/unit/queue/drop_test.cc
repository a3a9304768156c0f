#include <doctest/doctest.h>
#include <leveldb/db.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/queue/committer.h"
#include "storage/queue/key_format.h"
#include "storage/queue/leveldb_slice.h"
#include "storage/queue/leveldb_store.h"
#include "tests/unit/queue/fixtures.h"

// Queues that are dropped, empty or full, and what becomes of what they held.
namespace stompbox::queue::test {
namespace {

using Seqs = std::vector<std::uint64_t>;
constexpr QueueId kOther{8};

std::unique_ptr<LeveldbStore> open(const StoreOptions& options) {
  auto opened = LeveldbStore::open(options, {});
  REQUIRE_MESSAGE(opened.has_value(), (opened ? std::string() : opened.error().text));
  return std::move(opened.value());
}

std::unique_ptr<leveldb::DB> open_raw(const std::string& path) {
  leveldb::DB* opened = nullptr;
  REQUIRE(leveldb::DB::Open(leveldb::Options(), path, &opened).ok());
  return std::unique_ptr<leveldb::DB>(opened);
}

// The first bytes of all keys, in order: "BBIILQS".
std::string ranges(const std::string& path) {
  const auto db = open_raw(path);
  const std::unique_ptr<leveldb::Iterator> keys(db->NewIterator(leveldb::ReadOptions()));
  std::string found;
  for (keys->SeekToFirst(); keys->Valid(); keys->Next())
    found.push_back(keys->key()[0]);
  return found;
}

// As sweeper and committer do it together; the number of batches.
std::size_t sweep(QueueStore& store) {
  std::size_t batches = 0;
  while (store.tidy_due()) {
    std::vector<Discard> discards;
    static_cast<void>(store.tidy(discards));
    if (discards.empty()) continue;
    CHECK(discards.size() < 10'000);
    CHECK(store.write({{}, discards}, Durability::kWritten).has_value());
    ++batches;
  }
  return batches;
}

void fill(QueueStore& store, std::uint64_t count) {
  for (std::uint64_t seq = 1; seq <= count;) {
    std::vector<Op> ops;
    for (int i = 0; i < 500 && seq <= count; ++i)
      ops.emplace_back(append(seq++));
    write(store, std::move(ops), Durability::kWritten);
  }
}

Append other(std::uint64_t seq) {
  return {kOther, at(seq), message(seq, "other"), Urgency::kNow};
}

TEST_CASE("attributes come back with the queue, and a second word replaces them") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  const std::string attributes("any\0bytes\n", 10);
  {
    const auto store = open(options);
    write(*store, {CreateQueue{kOrders, "/queue/orders", "first"}, append(1)});
    write(*store, {CreateQueue{kOrders, "/queue/orders", attributes}});
  }
  const auto store = open(options);
  CHECK(store->state().queues.at(0).attributes == attributes);
  CHECK(store->state().queues.at(0).name == "/queue/orders");
  CHECK(all_seqs(*store) == Seqs{1});
}

TEST_CASE("a dropped queue is gone at once, and the sweeper takes out what it held") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    write(*store, {create_orders(), CreateQueue{kOther, "/queue/other"}, append(1),
                   append(2, std::string(5000, 'b')), append_volatile(3),
                   Append{kOrders, at(4, 9), message(4, "x"), Urgency::kNow}, other(1)});
    write(*store, {Return{kOrders, at(1), 2}, Return{kOrders, at(4, 9), 1}});
    CHECK(!store->tidy_due());
    write(*store, {DropQueue{kOrders}});
    CHECK(load(*store, at(1, 0)).messages.empty());
    CHECK(store->tidy_due());
    CHECK(sweep(*store) == 1);
    CHECK(!store->tidy_due());
  }
  CHECK(ranges(folder.path()) == "ILMQS");
  const auto store = open(options);
  REQUIRE(store->state().queues.size() == 1);
  CHECK(store->state().queues[0].queue == kOther);
  CHECK(store->state().queues[0].message_count == 1);
}

TEST_CASE("an empty queue leaves nothing behind when it is dropped") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    write(*store, {create_orders(), append(1), append(2)});
    write(*store, {Return{kOrders, at(1), 2}});
    write(*store, {erase(1), erase(2)});
    write(*store, {DropQueue{kOrders}});
    CHECK(!store->tidy_due());
  }
  CHECK(ranges(folder.path()) == "LS");
}

TEST_CASE("the id of a dropped queue is not forgotten, though no queue is left") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    CHECK(store->state().last_queue == QueueId{0});
    write(*store, {create_orders(), CreateQueue{kOther, "/queue/other"}});
    write(*store, {DropQueue{kOther}, DropQueue{kOrders}});
  }
  CHECK(open(options)->state().last_queue == kOther);
  const auto store = open(options);
  CHECK(store->state().queues.empty());
  CHECK(store->state().last_queue == kOther);
}

TEST_CASE("a name may be used again in the batch that drops it, and what it had does not return") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    write(*store, {create_orders(), append(1), append(2)});
    write(*store, {DropQueue{kOrders}, CreateQueue{kOther, std::string(kOrdersName)}, other(1)});
    sweep(*store);
  }
  const auto store = open(options);
  REQUIRE(store->state().queues.size() == 1);
  CHECK(store->state().queues[0].queue == kOther);
  CHECK(store->state().queues[0].message_count == 1);
}

TEST_CASE("made, filled and dropped in one batch, a queue leaves nothing") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    write(*store,
          {create_orders(), append(1), append(2, std::string(5000, 'b')), DropQueue{kOrders}});
    sweep(*store);
  }
  CHECK(ranges(folder.path()) == "LS");
}

TEST_CASE("what refers to a dropped queue afterwards does nothing") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    write(*store, {create_orders(), append(1), append(2)});
    write(*store, {DropQueue{kOrders}, erase(1), Return{kOrders, at(2), 1}});
    write(*store, {erase(2), DropQueue{kOrders}});
    const Discard stale{kOrders, at(2), Discard::Reason::kStale, Persistence::kVolatile, 1, {}};
    const Discard damaged{kOrders, at(2), Discard::Reason::kDamaged, {}, 1, "found"};
    CHECK(store->write({{}, {stale, damaged}}, Durability::kWritten).has_value());
    sweep(*store);
  }
  CHECK(ranges(folder.path()) == "LS");
}

TEST_CASE("a large queue is swept in bounded steps, and a stop in between is made good") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    write(*store, {create_orders()});
    fill(*store, 20'000);
    write(*store, {DropQueue{kOrders}});
    std::vector<Discard> discards;
    CHECK(store->tidy(discards) == Tidied::kMoreToDo);
    CHECK(discards.size() < 10'000);
    CHECK(store->write({{}, discards}, Durability::kWritten).has_value());
  }
  CHECK(ranges(folder.path()).size() > 10'000);
  {
    const auto store = open(options);
    CHECK(store->state().queues.empty());
    CHECK(store->tidy_due());
    CHECK(sweep(*store) > 1);
    CHECK(!store->tidy_due());
  }
  CHECK(ranges(folder.path()) == "LS");
  CHECK(!open(options)->tidy_due());
}

TEST_CASE("the next step of a sweep waits until the one before is written") {
  const TempFolder folder;
  const auto store = open(small_store(folder.path()));
  write(*store, {create_orders()});
  fill(*store, 20'000);
  write(*store, {DropQueue{kOrders}});
  std::vector<Discard> first;
  CHECK(store->tidy(first) == Tidied::kMoreToDo);
  CHECK(!first.empty());
  std::vector<Discard> second;
  CHECK(store->tidy(second) == Tidied::kDone);
  CHECK(second.empty());
  CHECK(!store->tidy_due());
  CHECK(store->write({{}, first}, Durability::kWritten).has_value());
  CHECK(store->tidy_due());
}

TEST_CASE("damaged records of a queue go with it, though it looks empty after a start") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  const std::string body(5000, 'b');
  {
    const auto store = open(options);
    write(*store, {create_orders(), append(1, body)});
    const Discard damaged{kOrders, at(1), Discard::Reason::kDamaged, {}, 5000, "found"};
    CHECK(store->write({{}, {damaged}}, Durability::kWritten).has_value());
  }
  CHECK(ranges(folder.path()) == "BMQSX");
  {
    const auto store = open(options);
    write(*store, {DropQueue{kOrders}});
    sweep(*store);
  }
  CHECK(ranges(folder.path()) == "LS");
}

TEST_CASE("in memory room comes back when a full queue is dropped") {
  StoreOptions options;
  options.in_memory = true;
  options.memory_bytes_max = 3'000'000;
  const auto store = open(options);
  write(*store, {create_orders()});
  std::vector<Op> ops;
  for (std::uint64_t seq = 1; seq <= 3000; ++seq)
    ops.emplace_back(append(seq, std::string(1000, 'x')));
  write(*store, std::move(ops));
  CHECK(store->room() == Room::kFull);
  write(*store, {DropQueue{kOrders}});
  sweep(*store);
  CHECK(store->room() == Room::kEnough);
}

// A store that counts what is taken out of dropped queues. Any thread.
class Counted final : public QueueStore {
 public:
  explicit Counted(QueueStore& store) : store_(store) {}
  [[nodiscard]] std::size_t swept() const { return swept_; }

  [[nodiscard]] const StoreState& state() const override { return store_.state(); }
  [[nodiscard]] storage::Status write(const StoreBatch& batch, Durability durability) override {
    const storage::Status written = store_.write(batch, durability);
    swept_ += batch.discards.size();
    return written;
  }
  [[nodiscard]] storage::Status write_again() override { return store_.write_again(); }
  [[nodiscard]] Room room() override { return store_.room(); }
  [[nodiscard]] LoadedPage load(const LoadRequest& request,
                                std::vector<Discard>& discards) override {
    return store_.load(request, discards);
  }
  [[nodiscard]] bool tidy_due() const override { return store_.tidy_due(); }
  [[nodiscard]] Tidied tidy(std::vector<Discard>& discards) override {
    return store_.tidy(discards);
  }
  void settle() override { store_.settle(); }

 private:
  QueueStore& store_;
  std::atomic<std::size_t> swept_{0};
};

TEST_CASE("under a committer a dropped queue is swept without a further word") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    write(*store, {create_orders()});
    fill(*store, 20'000);
    Counted counted(*store);
    Committer journal(counted, JournalOptions{}, {[](CommitReport) {}, [](LoadedPage) {}});
    static_cast<void>(journal.submit_together({DropQueue{kOrders}}));
    // The index entries, and the record of the drop.
    REQUIRE(wait_until([&] { return counted.swept() == 20'001; }));
    journal.stop();
  }
  CHECK(ranges(folder.path()) == "LS");
}

}  // namespace
}  // namespace stompbox::queue::test

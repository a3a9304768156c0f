#include "storage/queue/buried.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/queue/ledger.h"
#include "tests/unit/queue/fixtures.h"
#include "tests/unit/queue/store_fixtures.h"

// Erased messages whose entries are deleted later.
namespace stompbox::queue::test {
namespace {

constexpr std::uint64_t kCount = 2000;
const std::string kBody(1000, 'x');

TEST_CASE("a buried stretch is given out from its front, in steps") {
  Buried buried;
  for (std::uint64_t seq = 5; seq < 15; ++seq)
    REQUIRE(buried.add(seq, 100));
  CHECK(buried.places() == DeadRange{5, 15});
  CHECK(buried.bytes() == 1000);
  CHECK(buried.take(4) == DeadRange{5, 9});
  CHECK(buried.places() == DeadRange{9, 15});
  CHECK(buried.bytes() == 600);
  CHECK(buried.take(100) == DeadRange{9, 15});
  CHECK(buried.empty());
  CHECK(buried.bytes() == 0);
  CHECK(buried.take(100).length() == 0);
}

TEST_CASE("a stretch that would become thin takes no more") {
  Buried buried;
  REQUIRE(buried.add(1, 1));
  CHECK_FALSE(buried.add(Buried::kLoose + 10, 1));
  CHECK(buried.places() == DeadRange{1, 2});
  CHECK(buried.add(Buried::kLoose / 2, 1));
}

// Three messages, of which the first `read` were loaded by a reader.
Ledger with_read(std::uint64_t read) {
  Ledger ledger;
  ledger.create(create_orders());
  for (std::uint64_t seq = 1; seq <= 3; ++seq)
    ledger.append(append(seq));
  ledger.note_read(kOrders, PriorityClass{5}, read + 1);
  return ledger;
}

void take_out(Ledger& ledger, std::uint64_t seq) {
  const Erase op = erase(seq);
  ledger.take_out(op.queue, op.place, op.persistence, op.bytes);
}

TEST_CASE("what was loaded is buried once nothing live stands before it") {
  Ledger ledger = with_read(2);
  take_out(ledger, 2);
  CHECK_FALSE(ledger.bury(kOrders, at(2), 10));
  take_out(ledger, 1);
  take_out(ledger, 3);
  CHECK(ledger.bury(kOrders, at(1), 10));
  CHECK(ledger.bury(kOrders, at(2), 10));
  CHECK_FALSE(ledger.bury(kOrders, at(3), 10));  // never loaded
  CHECK_FALSE(ledger.bury(QueueId{99}, at(1), 10));
  const ClassMeta meta = ledger.meta(kOrders).classes.at(0);
  CHECK(meta.buried == DeadRange{1, 3});
  CHECK(meta.buried_bytes == 20);
  CHECK(ledger.has_buried(kOrders, PriorityClass{5}, 2));
  CHECK_FALSE(ledger.has_buried(kOrders, PriorityClass{5}, 1));
  CHECK(ledger.unbury(kOrders, PriorityClass{5}) == DeadRange{1, 3});
  CHECK_FALSE(ledger.has_buried(kOrders, PriorityClass{5}, 100));
}

TEST_CASE("all queues together bury a bounded number of bytes, a dropped queue none") {
  constexpr std::uint64_t kHalf = DeadSpanLeast{}.erased_bytes / 2;
  Ledger ledger = with_read(3);
  for (std::uint64_t seq = 1; seq <= 3; ++seq)
    take_out(ledger, seq);
  REQUIRE(ledger.bury(kOrders, at(1), kHalf));
  CHECK_FALSE(ledger.buried_due());
  REQUIRE(ledger.bury(kOrders, at(2), kHalf));
  CHECK(ledger.buried_due());
  CHECK_FALSE(ledger.bury(kOrders, at(3), 1));
  const auto found = ledger.any_buried();
  REQUIRE(found);
  CHECK(found->first == kOrders);

  Ledger restored;
  restored.restore(kOrders, {std::string(kOrdersName), {}}, ledger.meta(kOrders));
  CHECK(restored.buried_due());
  CHECK(restored.dead_due());
  const auto dropped = restored.drop(kOrders);
  REQUIRE(dropped);
  CHECK(dropped->meta.classes.at(0).buried == DeadRange{1, 3});
  CHECK_FALSE(restored.buried_due());
  CHECK_FALSE(restored.any_buried());
}

// A store whose disk is as full as the test says.
struct Bench {
  Bench() {
    seams.free_bytes = [this] { return free_bytes.load(); };
    options.free_bytes_floor = 1000;
    reopen();
  }

  void reopen() {
    store.reset();
    store = open(options, seams);
  }
  void drain(std::uint64_t from, std::uint64_t to) {
    static_cast<void>(load(*store, at(from), to - from + 1, UINT64_MAX));
    erase_all(*store, from, to, kBody);
  }
  // As sweeper and committer do it together; the number of batches.
  std::size_t sweep() {
    std::size_t batches = 0;
    while (store->tidy_due()) {
      std::vector<Discard> discards;
      static_cast<void>(store->tidy(discards));
      if (discards.empty()) continue;
      REQUIRE(store->write({{}, discards}, Durability::kWritten).has_value());
      ++batches;
    }
    return batches;
  }
  std::size_t entries() {
    store.reset();
    const std::size_t count = count_keys(folder.path(), KeyRange::kIndex);
    reopen();
    return count;
  }

  const TempFolder folder;
  std::atomic<std::uint64_t> free_bytes{1'000'000};
  LeveldbSeams seams;
  StoreOptions options = small_store(folder.path());
  std::unique_ptr<LeveldbStore> store;
};

TEST_CASE("a drained backlog costs no delete a message, and is gone for good") {
  Bench bench;
  write(*bench.store, {create_orders()});
  fill(*bench.store, 1, kCount, kBody);
  bench.drain(1, kCount - 10);
  CHECK(bench.entries() == kCount);
  for (int start = 0; start < 2; ++start) {
    CHECK(bench.store->state().queues.at(0).message_count == 10);
    CHECK(bench.store->state().queues.at(0).first == at(kCount - 9));
    CHECK(all_seqs(*bench.store).size() == 10);
    CHECK(load(*bench.store, at(1), 1).messages.at(0).place == at(kCount - 9));
    bench.reopen();
  }
}

TEST_CASE("what was not loaded before it was erased is deleted at once") {
  Bench bench;
  write(*bench.store, {create_orders()});
  fill(*bench.store, 1, 100, kBody);
  erase_all(*bench.store, 1, 100, kBody);
  CHECK(bench.entries() == 0);
}

TEST_CASE("bodies that stand apart and volatile messages are deleted at once") {
  Bench bench;
  const std::string large(5000, 'b');
  write(*bench.store, {create_orders(), append(1, large), append_volatile(2)});
  CHECK(load(*bench.store, at(1)).messages.size() == 2);
  const Message gone = *append_volatile(2).message;
  write(*bench.store, {erase(1, large), Erase{kOrders, at(2), gone.id, gone.bytes(),
                                              Persistence::kVolatile, Urgency::kRide}});
  CHECK(bench.entries() == 0);
  bench.store.reset();
  CHECK(count_keys(bench.folder.path(), KeyRange::kBody) == 0);
}

TEST_CASE("on a full disk what was buried is deleted, after a start as well") {
  Bench bench;
  write(*bench.store, {create_orders()});
  fill(*bench.store, 1, kCount * 3, kBody);
  bench.drain(1, kCount * 3 - 10);
  CHECK(bench.sweep() == 0);
  bench.reopen();
  bench.free_bytes = 0;
  CHECK(bench.store->room() == Room::kFull);
  CHECK(bench.sweep() == 2);
  CHECK_FALSE(bench.store->tidy_due());
  CHECK(all_seqs(*bench.store).size() == 10);
  CHECK(bench.entries() == 10);
}

TEST_CASE("a dropped queue leaves nothing of what it had buried") {
  Bench bench;
  write(*bench.store, {create_orders()});
  fill(*bench.store, 1, kCount, kBody);
  bench.drain(1, kCount);
  write(*bench.store, {DropQueue{kOrders}});
  bench.sweep();
  CHECK(bench.entries() == 0);
}

TEST_CASE(
    "a message that is buried, dropped with its queue and swept in one batch leaves nothing") {
  Bench bench;
  write(*bench.store, {create_orders()});
  fill(*bench.store, 1, 10, kBody);
  static_cast<void>(load(*bench.store, at(1)));
  write(*bench.store, {erase(1, kBody), erase(2, kBody), DropQueue{kOrders}});
  bench.sweep();
  CHECK(bench.entries() == 0);
}

}  // namespace
}  // namespace stompbox::queue::test

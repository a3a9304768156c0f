#include "storage/queue/deferred.h"

#include <doctest/doctest.h>
#include <leveldb/write_batch.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/queue/ledger.h"
#include "storage/queue/leveldb_batch.h"
#include "tests/support/fault_env.h"
#include "tests/unit/queue/fixtures.h"
#include "tests/unit/queue/store_fixtures.h"

// Erased messages whose entries are deleted later.
namespace stompbox::queue::test {
namespace {

using Deferral = Ledger::Deferral;

constexpr std::uint64_t kCount = 2000;
const std::string kBody(1000, 'x');

TEST_CASE("a stretch of deferred deletes is given out from its front, in steps") {
  Deferred deferred;
  for (std::uint64_t seq = 5; seq < 15; ++seq)
    REQUIRE(deferred.add(seq, 100));
  CHECK(deferred.places() == DeadRange{5, 15});
  CHECK(deferred.bytes() == 1000);
  CHECK(deferred.take(4) == DeadRange{5, 9});
  CHECK(deferred.places() == DeadRange{9, 15});
  CHECK(deferred.bytes() == 600);
  CHECK(deferred.take(100) == DeadRange{9, 15});
  CHECK(deferred.empty());
  CHECK(deferred.bytes() == 0);
  CHECK(deferred.take(100).length() == 0);
}

TEST_CASE("a stretch that would become thin takes no more") {
  Deferred deferred;
  REQUIRE(deferred.add(1, 1));
  CHECK_FALSE(deferred.add(Deferred::kLoose + 10, 1));
  CHECK(deferred.places() == DeadRange{1, 2});
  CHECK(deferred.add(Deferred::kLoose / 2, 1));
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

constexpr PriorityClass kClass{5};

TEST_CASE("what a page brought is deferred once nothing live stands before it") {
  Ledger ledger = with_read(2);
  take_out(ledger, 2);
  CHECK(ledger.defer(kOrders, at(2), 10) == Deferral::kNever);
  take_out(ledger, 1);
  take_out(ledger, 3);
  CHECK(ledger.defer(kOrders, at(1), 10) == Deferral::kDone);
  CHECK(ledger.defer(kOrders, at(2), 10) == Deferral::kDone);
  CHECK(ledger.defer(kOrders, at(3), 10) == Deferral::kNever);  // no page brought it
  CHECK(ledger.defer(QueueId{99}, at(1), 10) == Deferral::kNever);
  const ClassMeta meta = ledger.meta(kOrders).classes.at(0);
  CHECK(meta.deferred == DeadRange{1, 3});
  CHECK(meta.deferred_bytes == 20);
  CHECK(ledger.has_deferred(kOrders, kClass, 2));
  CHECK_FALSE(ledger.has_deferred(kOrders, kClass, 1));
  CHECK_FALSE(ledger.deferred_due(Room::kEnough));
  CHECK(ledger.deferred_due(Room::kFull));
  CHECK(ledger.take_deferred(kOrders, kClass) == DeadRange{1, 3});
  CHECK_FALSE(ledger.has_deferred(kOrders, kClass, 100));
  CHECK_FALSE(ledger.deferred_due(Room::kFull));
}

// Loaded and erased, all of it.
void drain(Ledger& ledger, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t seq = from; seq < to; ++seq)
    ledger.append(append(seq));
  ledger.note_read(kOrders, kClass, to);
  for (std::uint64_t seq = from; seq < to; ++seq)
    take_out(ledger, seq);
}

TEST_CASE("a short old stretch far away makes room for a new one, a long one is due") {
  constexpr std::uint64_t kLong = 10'000;
  Ledger ledger;
  ledger.create(create_orders());
  drain(ledger, 1, kLong);
  REQUIRE(ledger.defer(kOrders, at(1), 1) == Deferral::kDone);
  CHECK(ledger.defer(kOrders, at(kLong - 1), 1) == Deferral::kAlone);
  CHECK(ledger.take_deferred(kOrders, kClass) == DeadRange{1, 2});
  for (std::uint64_t seq = 2; seq < kLong; ++seq)
    REQUIRE(ledger.defer(kOrders, at(seq), 1) == Deferral::kDone);
  CHECK_FALSE(ledger.deferred_due(Room::kEnough));
  drain(ledger, 10 * kLong, 10 * kLong + 1);
  CHECK(ledger.defer(kOrders, at(10 * kLong), 1) == Deferral::kNever);
  while (const auto due = ledger.deferred_due(Room::kEnough)) {
    CHECK(due->first == kOrders);
    CHECK(ledger.take_deferred(due->first, due->second).length() > 0);
  }
  CHECK(ledger.defer(kOrders, at(10 * kLong), 1) == Deferral::kDone);
  CHECK_FALSE(ledger.deferred_due(Room::kEnough));
}

class CountDeletes final : public leveldb::WriteBatch::Handler {
 public:
  void Put(const leveldb::Slice&, const leveldb::Slice&) override {}
  void Delete(const leveldb::Slice&) override { ++count; }
  std::size_t count = 0;
};

std::size_t deletes_of(Ledger& ledger, const std::vector<std::uint64_t>& erased) {
  StoreBatch batch;
  for (const std::uint64_t seq : erased)
    batch.ops.emplace_back(erase(seq, "x"));
  BatchEncoder encoder(ledger, {2048, 2048});
  leveldb::WriteBatch out;
  encoder.encode(batch, Deferring::kAllowed, out);
  CountDeletes deletes;
  REQUIRE(out.Iterate(&deletes).ok());
  return deletes.count;
}

TEST_CASE("consumers that erase far apart in step cost no more deletes than messages") {
  constexpr std::uint64_t kBlock = 3000;
  for (const std::uint64_t blocks : {1U, 6U, 16U}) {
    for (const std::uint64_t in_step : {10U, 3000U}) {
      Ledger ledger;
      ledger.create(create_orders());
      for (std::uint64_t seq = 1; seq <= blocks * kBlock; ++seq)
        ledger.append(append(seq));
      ledger.note_read(kOrders, kClass, blocks * kBlock + 1);
      std::size_t deletes = 0;
      for (std::uint64_t first = 1; first <= kBlock; first += in_step) {
        std::vector<std::uint64_t> erased;
        for (std::uint64_t seq = first; seq < first + in_step && seq <= kBlock; ++seq) {
          for (std::uint64_t block = 0; block < blocks; ++block)
            erased.push_back(block * kBlock + seq);
        }
        const std::size_t of_batch = deletes_of(ledger, erased);
        CHECK(of_batch <= 3 * erased.size() + 4096);
        deletes += of_batch;
      }
      CHECK(deletes <= blocks * kBlock);
    }
  }
}

TEST_CASE("an erase in each of many far places costs at most some deletes each") {
  Ledger ledger;
  ledger.create(create_orders());
  drain(ledger, 1, 50'000);
  std::vector<std::uint64_t> erased;
  for (std::uint64_t seq = 1; seq < 50'000; seq += 900)
    erased.push_back(seq);
  CHECK(deletes_of(ledger, erased) <= 3 * erased.size() + 4096);
}

TEST_CASE("all queues together defer a bounded number of bytes, and then give back half of them") {
  constexpr std::uint64_t kQuarter = DeadSpanLeast{}.erased_bytes / 4;
  constexpr QueueId kOther{8};
  Ledger ledger;
  ledger.create(create_orders());
  drain(ledger, 1, 4);
  ledger.create({kOther, "/queue/other"});
  ledger.append({kOther, at(1), message(1, "x"), Urgency::kNow});
  ledger.note_read(kOther, kClass, 2);
  ledger.take_out(kOther, at(1), Persistence::kDurable, 1);
  REQUIRE(ledger.defer(kOrders, at(1), kQuarter) == Deferral::kDone);
  REQUIRE(ledger.defer(kOrders, at(2), kQuarter) == Deferral::kDone);
  CHECK_FALSE(ledger.deferred_due(Room::kEnough));
  REQUIRE(ledger.defer(kOther, at(1), 2 * kQuarter) == Deferral::kDone);
  CHECK(ledger.defer(kOrders, at(3), 1) == Deferral::kNever);

  Ledger restored;
  for (const QueueId queue : {kOrders, kOther})
    restored.restore(queue, {ledger.name(queue), {}}, ledger.meta(queue));
  CHECK(restored.deferred_due(Room::kEnough));
  CHECK(restored.take_deferred(kOrders, kClass) == DeadRange{1, 3});
  CHECK_FALSE(restored.deferred_due(Room::kEnough));

  const auto dropped = ledger.drop(kOther);
  REQUIRE(dropped);
  CHECK(dropped->meta.classes.at(0).deferred == DeadRange{1, 2});
  CHECK_FALSE(ledger.deferred_due(Room::kEnough));
  CHECK(ledger.deferred_due(Room::kFull)->first == kOrders);
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

TEST_CASE("on a full disk deletes are deferred no more and made up for, after a start as well") {
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
  bench.drain(kCount * 3 - 9, kCount * 3 - 5);
  CHECK(bench.entries() == 5);
}

TEST_CASE("the smallest deferred stretch is made up for on a full disk") {
  Bench bench;
  write(*bench.store, {create_orders()});
  fill(*bench.store, 1, 3, kBody);
  bench.drain(1, 2);
  bench.free_bytes = 0;
  CHECK(bench.store->room() == Room::kFull);
  CHECK(bench.sweep() == 1);
  CHECK(bench.entries() == 1);
}

TEST_CASE("in memory no delete is deferred") {
  Bench bench;
  bench.options.in_memory = true;
  bench.reopen();
  write(*bench.store, {create_orders()});
  fill(*bench.store, 1, 10, kBody);
  bench.drain(1, 9);
  bench.free_bytes = 0;
  static_cast<void>(bench.store->room());
  CHECK(bench.sweep() == 0);
}

TEST_CASE("a batch with deferred deletes that the disk refuses is written again whole") {
  stompbox::test::FaultEnv env;
  Bench bench;
  bench.seams.env = &env;
  bench.reopen();
  write(*bench.store, {create_orders()});
  fill(*bench.store, 1, kCount, kBody);
  static_cast<void>(load(*bench.store, at(1), kCount, UINT64_MAX));
  std::vector<Op> ops;
  for (std::uint64_t seq = 1; seq <= 10; ++seq)
    ops.emplace_back(erase(seq, kBody));
  env.fill_disk();
  const auto refused = bench.store->write(batch_of(std::move(ops)), Durability::kSynced);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kFull);
  env.make_room();
  REQUIRE(bench.store->write_again());
  bench.reopen();
  CHECK(bench.store->state().queues.at(0).message_count == kCount - 10);
  CHECK(load(*bench.store, at(1), 1).messages.at(0).place == at(11));
  CHECK(bench.entries() == kCount);
}

TEST_CASE("a dropped queue leaves nothing of what it had deferred") {
  Bench bench;
  write(*bench.store, {create_orders()});
  fill(*bench.store, 1, kCount, kBody);
  bench.drain(1, kCount);
  write(*bench.store, {DropQueue{kOrders}});
  bench.sweep();
  CHECK(bench.entries() == 0);
}

TEST_CASE(
    "a message that is deferred, dropped with its queue and swept in one batch leaves nothing") {
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

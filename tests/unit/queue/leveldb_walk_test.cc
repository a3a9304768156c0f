#include <doctest/doctest.h>
#include <leveldb/comparator.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/fault_env.h"
#include "tests/unit/queue/fixtures.h"
#include "tests/unit/queue/store_fixtures.h"

namespace stompbox::queue::test {
namespace {

// What a load, a start and the sweeper look at.

// Orders as LevelDB does and counts: every key that is looked at costs at least one comparison.
class CountingComparator final : public leveldb::Comparator {
 public:
  int Compare(const leveldb::Slice& a, const leveldb::Slice& b) const override {
    count_.fetch_add(1, std::memory_order_relaxed);
    return leveldb::BytewiseComparator()->Compare(a, b);
  }
  const char* Name() const override { return leveldb::BytewiseComparator()->Name(); }
  void FindShortestSeparator(std::string* start, const leveldb::Slice& limit) const override {
    leveldb::BytewiseComparator()->FindShortestSeparator(start, limit);
  }
  void FindShortSuccessor(std::string* key) const override {
    leveldb::BytewiseComparator()->FindShortSuccessor(key);
  }
  [[nodiscard]] std::uint64_t take_count() const { return count_.exchange(0); }

 private:
  mutable std::atomic<std::uint64_t> count_{0};
};

TEST_CASE("a load does not walk over what was erased, before or behind one old message") {
  const TempFolder folder;
  const CountingComparator comparator;
  StoreOptions options = small_store(folder.path());
  options.write_buffer_bytes = 64 * 1024 * 1024;  // no compaction takes the tombstones away
  LeveldbSeams seams;
  seams.comparator = &comparator;
  {
    const auto store = open(options, seams);
    write(*store, {create_orders()});
    fill(*store, 1, 20'000);
    erase_all(*store, 1, 9'999);
    erase_all(*store, 10'001, 19'999);
    static_cast<void>(comparator.take_count());
    CHECK(seqs(load(*store, at(1, 0))) == Seqs{10'000, 20'000});
    CHECK(comparator.take_count() < 500);
  }
  const auto store = open(options, seams);
  static_cast<void>(comparator.take_count());
  CHECK(seqs(load(*store, at(1, 0))) == Seqs{10'000, 20'000});
  CHECK(comparator.take_count() < 500);
}

TEST_CASE("a load that had to walk once teaches the next one") {
  const TempFolder folder;
  const CountingComparator comparator;
  StoreOptions options = small_store(folder.path());
  options.write_buffer_bytes = 64 * 1024 * 1024;
  LeveldbSeams seams;
  seams.comparator = &comparator;
  const auto store = open(options, seams);
  write(*store, {create_orders()});
  fill(*store, 1, 10'000);
  // Two passes with more holes between than are remembered.
  for (const std::uint64_t parity : {0ULL, 1ULL}) {
    std::vector<Op> ops;
    for (std::uint64_t seq = 5000 + parity; seq > 2; seq -= 2)
      ops.emplace_back(erase(seq, "x"));
    write(*store, std::move(ops), Durability::kWritten);
  }
  write(*store, {erase(1, "x")});
  CHECK(seqs(load(*store, at(1, 0), 1)) == Seqs{2});
  static_cast<void>(load(*store, at(3), 1));
  static_cast<void>(comparator.take_count());
  CHECK(seqs(load(*store, at(3), 1)) == Seqs{5002});
  CHECK(comparator.take_count() < 200);
}

TEST_CASE("a queue that was emptied costs a load nothing") {
  const TempFolder folder;
  const CountingComparator comparator;
  StoreOptions options = small_store(folder.path());
  options.write_buffer_bytes = 64 * 1024 * 1024;
  LeveldbSeams seams;
  seams.comparator = &comparator;
  const auto store = open(options, seams);
  write(*store, {create_orders()});
  fill(*store, 1, 5'000);
  erase_all(*store, 1, 5'000);
  static_cast<void>(comparator.take_count());
  CHECK(load(*store, at(1, 0)).messages.empty());
  CHECK(comparator.take_count() == 0);
}

TEST_CASE("what is read at a start does not grow with the backlog") {
  const auto read_at_start = [](std::uint64_t count) {
    const TempFolder folder;
    stompbox::test::FaultEnv env;
    LeveldbSeams seams;
    seams.env = &env;
    const StoreOptions options = small_store(folder.path());
    {
      const auto store = open(options, seams);
      write(*store, {create_orders()});
      fill(*store, 1, count, std::string(1000, 'x'));
    }
    const std::uint64_t before = env.bytes_read();
    const auto store = open(options, seams);
    CHECK(store->state().queues.at(0).message_count == count);
    return env.bytes_read() - before;
  };
  const std::uint64_t bytes_of_small = read_at_start(1'000);
  const std::uint64_t bytes_of_large = read_at_start(20'000);
  // The logs of the two differ by one batch and one write buffer at most.
  CHECK(bytes_of_large < bytes_of_small + 2 * 1024 * 1024);
}

TEST_CASE("a great deal of erased messages makes the store tidy, and then it is done") {
  const TempFolder folder;
  StoreOptions options = small_store(folder.path());
  options.write_buffer_bytes = 4 * 1024 * 1024;
  const auto store = open(options);
  write(*store, {create_orders()});
  const std::string large(60'000, 'L');
  fill(*store, 1, 10'010);
  erase_all(*store, 1, 8'000, large);
  CHECK_FALSE(store->tidy_due());
  erase_all(*store, 8'001, 10'000, large);
  CHECK(store->tidy_due());
  std::vector<Discard> discards;
  while (store->tidy(discards) == Tidied::kMoreToDo) {
  }
  CHECK(!store->tidy_due());
  CHECK(all_seqs(*store).size() == 10);
}

}  // namespace
}  // namespace stompbox::queue::test

#include "storage/queue/leveldb_store.h"

#include <doctest/doctest.h>
#include <leveldb/comparator.h>
#include <leveldb/db.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/queue/key_format.h"
#include "storage/queue/leveldb_open.h"
#include "storage/queue/leveldb_slice.h"
#include "storage/queue/record_format.h"
#include "tests/support/fault_env.h"
#include "tests/unit/queue/fixtures.h"

namespace stompbox::queue::test {
namespace {

using storage::ErrorCode;
using Seqs = std::vector<std::uint64_t>;

std::unique_ptr<LeveldbStore> open(const StoreOptions& options, LeveldbSeams seams = {}) {
  auto opened = LeveldbStore::open(options, std::move(seams));
  REQUIRE_MESSAGE(opened.has_value(), (opened ? std::string() : opened.error().text));
  return std::move(opened.value());
}

storage::Error refusal(const StoreOptions& options) {
  const auto opened = LeveldbStore::open(options, {});
  REQUIRE(!opened.has_value());
  return opened.error();
}

bool says(const storage::Error& error, std::string_view text) {
  return error.text.find(text) != std::string::npos;
}

// Changes the records of a closed store behind its back.
std::unique_ptr<leveldb::DB> open_raw(const std::string& path) {
  leveldb::Options options;
  options.create_if_missing = true;
  leveldb::DB* opened = nullptr;
  REQUIRE(leveldb::DB::Open(options, path, &opened).ok());
  return std::unique_ptr<leveldb::DB>(opened);
}

std::size_t count_keys(const std::string& path, KeyRange range) {
  const auto db = open_raw(path);
  const std::unique_ptr<leveldb::Iterator> keys(db->NewIterator(leveldb::ReadOptions()));
  std::size_t count = 0;
  for (keys->SeekToFirst(); keys->Valid(); keys->Next()) {
    if (keys->key()[0] == static_cast<char>(range)) ++count;
  }
  return count;
}

void fill(QueueStore& store, std::uint64_t from, std::uint64_t to, const std::string& body = "x") {
  for (std::uint64_t seq = from; seq <= to;) {
    std::vector<Op> ops;
    for (int i = 0; i < 500 && seq <= to; ++i)
      ops.emplace_back(append(seq++, body));
    write(store, std::move(ops), Durability::kWritten);
  }
}

void erase_all(QueueStore& store, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t seq = from; seq <= to;) {
    std::vector<Op> ops;
    for (int i = 0; i < 500 && seq <= to; ++i)
      ops.emplace_back(erase(seq++, "x"));
    write(store, std::move(ops), Durability::kWritten);
  }
}

TEST_CASE("a message comes back from the store as it went in, over a start too") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  Message small = *message(1, std::string("bytes\0and\n", 10));
  small.block_is_plain = false;
  Message large = *message(2, std::string(100'000, 'L'));
  large.destination = "/queue/elsewhere";
  large.expires_ms = 1'800'000'000'000;
  const auto check = [&](QueueStore& store) {
    const LoadedPage page = load(store, at(1));
    REQUIRE(page.messages.size() == 2);
    CHECK(!page.error);
    CHECK(!page.more);
    for (const auto& [sent, place] : {std::pair{small, 0}, std::pair{large, 1}}) {
      const Message& got = *page.messages[static_cast<std::size_t>(place)].message;
      CHECK(got.id == sent.id);
      CHECK(got.destination == sent.destination);
      CHECK(got.header_block == sent.header_block);
      CHECK(got.block_is_plain == sent.block_is_plain);
      CHECK(got.body == sent.body);
      CHECK(got.arrived_ms == sent.arrived_ms);
      CHECK(got.expires_ms == sent.expires_ms);
      CHECK(got.persistence == Persistence::kDurable);
    }
  };
  {
    const auto store = open(options);
    write(*store,
          {create_orders(), Append{kOrders, at(1), std::make_shared<Message>(small), Urgency::kNow},
           Append{kOrders, at(2), std::make_shared<Message>(large), Urgency::kNow}});
    check(*store);
  }
  check(*open(options));
}

TEST_CASE("pages keep to their bounds and go on where they stopped") {
  const TempFolder folder;
  const auto store = open(small_store(folder.path()));
  write(*store, {create_orders()});
  fill(*store, 1, 25, std::string(1000, 'x'));
  const LoadedPage by_count = load(*store, at(1), 10);
  CHECK(by_count.messages.size() == 10);
  CHECK(by_count.more);
  CHECK(load(*store, at(1), 25).messages.size() == 25);
  CHECK(!load(*store, at(1), 25).more);
  const std::size_t one = append(1, std::string(1000, 'x')).message->bytes();
  CHECK(load(*store, at(1), 100, 5 * one).messages.size() == 5);
  CHECK(load(*store, at(1), 100, 5 * one - 1).messages.size() == 4);
  CHECK(load(*store, at(1), 100, 1).messages.size() == 1);
  CHECK(all_seqs(*store, 7).size() == 25);
}

TEST_CASE("a page goes through the classes in order of delivery") {
  const TempFolder folder;
  const auto store = open(small_store(folder.path()));
  write(*store,
        {create_orders(), append(1), Append{kOrders, at(2, 9), message(2, "late"), Urgency::kNow},
         Append{kOrders, at(3, 0), message(3, "early"), Urgency::kNow}, append(4)});
  CHECK(seqs(load(*store, at(1, 0))) == Seqs{3, 1, 4, 2});
  CHECK(seqs(load(*store, at(2))) == Seqs{4, 2});
  CHECK(seqs(load(*store, at(1, 6))) == Seqs{2});
}

TEST_CASE("a page ends before the place that is not wanted any more") {
  const TempFolder folder;
  const auto store = open(small_store(folder.path()));
  write(*store, {create_orders(), append(1), append(2), append(4),
                 Append{kOrders, at(3, 2), message(3, "early"), Urgency::kNow},
                 Append{kOrders, at(5, 9), message(5, "late"), Urgency::kNow}});
  const auto before = [&](Place place) {
    std::vector<Discard> discards;
    const LoadedPage page = store->load({kOrders, at(1, 0), 10, 10'000, 0, place}, discards);
    CHECK(!page.more);
    return seqs(page);
  };
  CHECK(before(at(4)) == Seqs{3, 1, 2});
  CHECK(before(at(3)) == Seqs{3, 1, 2});
  CHECK(before(at(1)) == Seqs{3});
  CHECK(before(at(3, 2)).empty());
  CHECK(before(at(5, 9)) == Seqs{3, 1, 2, 4});
  CHECK(before(kBehindAll) == Seqs{3, 1, 2, 4, 5});
  CHECK(all_seqs(*store) == Seqs{3, 1, 2, 4, 5});
}

TEST_CASE("queues do not see each other, and an unknown one is empty") {
  const TempFolder folder;
  const auto store = open(small_store(folder.path()));
  const QueueId other{8};
  write(*store, {create_orders(), CreateQueue{other, "/queue/other"}, append(1),
                 Append{other, at(1), message(2, "x"), Urgency::kNow}});
  CHECK(seqs(load(*store, at(1, 0))) == Seqs{1});
  std::vector<Discard> discards;
  CHECK(store->load({QueueId{99}, at(1, 0), 10, 1000}, discards).messages.empty());
}

TEST_CASE("delivery counts come back with their messages until these are erased") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    write(*store, {create_orders(), append(1), append(2), append(3), append(4)});
    write(*store, {Return{kOrders, at(2), 1}, Return{kOrders, at(4), 7}});
    write(*store, {Return{kOrders, at(2), 2}});
  }
  {
    const auto store = open(options);
    const LoadedPage page = load(*store, at(1));
    std::vector<std::uint32_t> counts;
    for (const LoadedMessage& loaded : page.messages)
      counts.push_back(loaded.deliveries);
    CHECK(counts == std::vector<std::uint32_t>{0, 2, 0, 7});
    write(*store, {erase(2), erase(4)});
  }
  CHECK(count_keys(folder.path(), KeyRange::kReturned) == 0);
}

TEST_CASE("an erased message leaves nothing behind, wherever its body stood") {
  const TempFolder folder;
  StoreOptions options = small_store(folder.path());
  options.inline_body_bytes_max = 100;
  const std::string body(500, 'b');
  {
    const auto store = open(options);
    write(*store, {create_orders(), append(1, body), append(2, "inline")});
  }
  options.inline_body_bytes_max = 10'000;  // changed meanwhile: the body of 1 still stands apart
  {
    const auto store = open(options);
    write(*store, {erase(1, body), erase(2, "inline")});
    CHECK(all_seqs(*store).empty());
  }
  CHECK(count_keys(folder.path(), KeyRange::kIndex) == 0);
  CHECK(count_keys(folder.path(), KeyRange::kBody) == 0);
}

TEST_CASE("a message that moves to another queue under its id keeps its body") {
  const TempFolder folder;
  const auto store = open(small_store(folder.path()));
  const QueueId dead_letters{8};
  const std::string body(5000, 'b');
  const MessagePtr moved = message(1, body);
  write(*store, {create_orders(), CreateQueue{dead_letters, "/queue/dead"},
                 Append{kOrders, at(1), moved, Urgency::kNow}});
  write(*store, {Append{dead_letters, at(1), moved, Urgency::kNow}, erase(1, body)});
  std::vector<Discard> discards;
  const LoadedPage page = store->load({dead_letters, at(1, 0), 10, 1 << 20}, discards);
  REQUIRE(page.messages.size() == 1);
  CHECK(page.messages[0].message->body == body);
}

TEST_CASE("each start has an epoch of its own, the identity stays") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  const StoreState first = open(options)->state();
  const StoreState second = open(options)->state();
  CHECK(first.epoch == 1);
  CHECK(second.epoch == 2);
  CHECK(first.identity.size() == 32);
  CHECK(first.identity == second.identity);
}

TEST_CASE("a start knows what each queue holds") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    CHECK(store->state().queues.empty());
    write(*store, {create_orders(), CreateQueue{QueueId{3}, "/queue/empty"}, append(5), append(6),
                   append(9), append_volatile(10)});
    write(*store, {erase(5)});
  }
  const auto store = open(options);
  const std::vector<QueueState>& queues = store->state().queues;
  REQUIRE(queues.size() == 2);
  CHECK(queues[0].name == "/queue/empty");
  CHECK(queues[0].message_count == 0);
  CHECK(queues[0].next_seq == Seq{1});
  CHECK(queues[1].name == kOrdersName);
  CHECK(queues[1].message_count == 2);
  CHECK(queues[1].message_bytes == 2 * append(6).message->bytes());
  CHECK(queues[1].first == at(6));
  CHECK(queues[1].next_seq == Seq{11});
  REQUIRE(queues[1].classes.size() == 1);
  CHECK(queues[1].classes[0].priority == PriorityClass{5});
  CHECK(queues[1].classes[0].message_count == 2);
  CHECK(queues[1].classes[0].first == Seq{6});
  CHECK(store->state().last_queue == kOrders);
}

TEST_CASE("volatile messages are found in their epoch only, and then taken out") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    write(*store, {create_orders(), append(1), append_volatile(2), append(3)});
    CHECK(all_seqs(*store) == Seqs{1, 2, 3});
  }
  {
    const auto store = open(options);
    CHECK(store->state().queues.at(0).message_count == 2);
    std::vector<Discard> discards;
    CHECK(seqs(store->load({kOrders, at(1, 0), 10, 10'000}, discards)) == Seqs{1, 3});
    REQUIRE(discards.size() == 1);
    CHECK(store->write({{}, discards}, Durability::kWritten).has_value());
    CHECK(all_seqs(*store) == Seqs{1, 3});
  }
  CHECK(count_keys(folder.path(), KeyRange::kIndex) == 2);
}

TEST_CASE("the sweeper finds volatile messages of an earlier epoch that nobody loads") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    std::vector<Op> ops{create_orders()};
    for (std::uint64_t seq = 1; seq <= 3000; ++seq)
      ops.emplace_back(append_volatile(seq));
    write(*store, std::move(ops));
    CHECK(!store->tidy_due());
  }
  const auto store = open(options);
  CHECK(store->tidy_due());
  std::vector<Discard> discards;
  while (store->tidy(discards) == Tidied::kMoreToDo) {
  }
  CHECK(discards.size() == 3000);
  CHECK(!store->tidy_due());
}

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
  fill(*store, 1, 100'010);
  erase_all(*store, 1, 100'000);
  CHECK(store->tidy_due());
  std::vector<Discard> discards;
  while (store->tidy(discards) == Tidied::kMoreToDo) {
  }
  CHECK(!store->tidy_due());
  CHECK(all_seqs(*store).size() == 10);
}

TEST_CASE("a damaged entry is set aside with a word, and the queue goes on") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  const std::string body(5000, 'b');
  {
    const auto store = open(options);
    write(*store, {create_orders(), append(1), append(2), append(3, body), append(4)});
  }
  {
    const auto db = open_raw(folder.path());
    const leveldb::WriteOptions plain;
    REQUIRE(db->Put(plain, slice(place_key(KeyRange::kIndex, kOrders, at(2))), "\xff?").ok());
    REQUIRE(db->Delete(plain, slice(place_key(KeyRange::kBody, kOrders, at(3)))).ok());
  }
  {
    const auto store = open(options);
    std::vector<Discard> discards;
    const LoadedPage page = store->load({kOrders, at(1, 0), 10, 10'000}, discards);
    CHECK(seqs(page) == Seqs{1, 4});
    REQUIRE(page.error);
    CHECK(page.error->code == ErrorCode::kCorrupt);
    CHECK(says(*page.error, "2 damaged message(s) of queue /queue/orders"));
    CHECK(says(*page.error, "class 5, number 2"));
    REQUIRE(discards.size() == 2);
    CHECK(store->write({{}, discards}, Durability::kSynced).has_value());
    CHECK(!load(*store, at(1, 0)).error);
  }
  CHECK(count_keys(folder.path(), KeyRange::kDamaged) == 2);
  CHECK(open(options)->state().queues.at(0).message_count == 2);
}

TEST_CASE("a store of a newer format is refused with a sentence") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  open(options);
  {
    std::string bytes;
    encode_store({kStoreFormat + 1, "x", 1, 1}, bytes);
    REQUIRE(open_raw(folder.path())->Put({}, slice(store_key()), bytes).ok());
  }
  const storage::Error error = refusal(options);
  CHECK(error.code == ErrorCode::kVersion);
  CHECK(says(error, "has format 3, written by a newer version; this one reads formats up to 2"));
}

TEST_CASE("a store of format 1 is read, and upgraded in place") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  const std::string large(5000, 'b');
  {
    const auto store = open(options);
    write(*store, {create_orders(), append(1), append(2, large), append(3)});
    write(*store, {Return{kOrders, at(3), 2}, erase(1)});
  }
  {
    // What format 1 had otherwise: the bare name, and the number.
    const auto db = open_raw(folder.path());
    const leveldb::WriteOptions plain;
    const Key name = queue_key(KeyRange::kName, kOrders);
    REQUIRE(db->Put(plain, slice(name), slice(kOrdersName)).ok());
    std::string record;
    REQUIRE(db->Get({}, slice(store_key()), &record).ok());
    record.at(0) = 1;
    REQUIRE(db->Put(plain, slice(store_key()), record).ok());
  }
  for (int start = 0; start < 2; ++start) {
    const auto store = open(options);
    const QueueState& state = store->state().queues.at(0);
    CHECK(state.name == kOrdersName);
    CHECK(state.attributes.empty());
    CHECK(state.message_count == 2);
    CHECK(store->state().last_queue == kOrders);
    const LoadedPage page = load(*store, at(1));
    REQUIRE(seqs(page) == Seqs{2, 3});
    CHECK(page.messages[0].message->body == large);
    CHECK(page.messages[1].deliveries == 2);
  }
  std::string record;
  REQUIRE(open_raw(folder.path())->Get({}, slice(store_key()), &record).ok());
  CHECK(record.at(0) == kStoreFormat);
}

TEST_CASE("a LevelDB folder of another program is refused and left alone") {
  const TempFolder folder;
  REQUIRE(open_raw(folder.path())->Put({}, "their key", "their value").ok());
  const storage::Error error = refusal(small_store(folder.path()));
  CHECK(error.code == ErrorCode::kInvalid);
  CHECK(says(error, "holds a LevelDB database of another program"));
}

TEST_CASE("a second open in this process is refused, by any spelling of the folder") {
  const TempFolder folder;
  const auto store = open(small_store(folder.path()));
  const storage::Error error = refusal(small_store(
      folder.path() + "/../" + std::filesystem::path(folder.path()).filename().string() + "/"));
  CHECK(error.code == ErrorCode::kBusy);
  CHECK(says(error, "is already open in this process"));
  write(*store, {create_orders()});
}

TEST_CASE("a second process is refused with a sentence that names the holder") {
  const TempFolder folder;
  int ready[2];
  int done[2];
  REQUIRE(::pipe(ready) == 0);
  REQUIRE(::pipe(done) == 0);
  const pid_t holder = ::fork();
  REQUIRE(holder >= 0);
  if (holder == 0) {
    const auto held = LeveldbStore::open(small_store(folder.path()), {});
    char byte = held ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) == 1) static_cast<void>(!::read(done[0], &byte, 1));
    ::_exit(0);
  }
  char byte = 'n';
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  REQUIRE(byte == 'y');
  const storage::Error error = refusal(small_store(folder.path()));
  CHECK(error.code == ErrorCode::kBusy);
  CHECK(says(error, "is in use by process " + std::to_string(holder) + " (unit_queue)"));
  CHECK(::write(done[1], &byte, 1) == 1);
  ::waitpid(holder, nullptr, 0);
  for (const int end : {ready[0], ready[1], done[0], done[1]})
    ::close(end);
}

TEST_CASE("a file where the folder should be is refused with a sentence") {
  const TempFolder folder;
  const std::string file = folder.path() + "/file";
  std::ofstream(file) << "text";
  const storage::Error error = refusal(small_store(file));
  CHECK(error.code == ErrorCode::kInvalid);
  CHECK(says(error, "is a file"));
}

TEST_CASE("a new folder is made for its owner alone") {
  const TempFolder folder;
  const std::string path = folder.path() + "/deep/store";
  open(small_store(path));
  CHECK(std::filesystem::status(path).permissions() == std::filesystem::perms::owner_all);
}

TEST_CASE("in memory the same store works, forgets, and is full at its bound") {
  StoreOptions options;
  options.in_memory = true;
  options.memory_bytes_max = 300 * 1000;
  const auto opened = open_leveldb_store(options);
  REQUIRE(opened.has_value());
  QueueStore& store = **opened;
  CHECK(store.room() == Room::kEnough);
  write(store, {create_orders()});
  fill(store, 1, 200, std::string(1000, 'x'));
  CHECK(all_seqs(store).size() == 200);
  CHECK(store.room() == Room::kEnough);
  fill(store, 201, 400, std::string(1000, 'x'));
  CHECK(store.room() == Room::kFull);
  const auto second = open_leveldb_store(options);
  REQUIRE(second.has_value());
  CHECK(second.value()->state().queues.empty());
  CHECK(second.value()->state().identity != store.state().identity);
}

TEST_CASE("in memory room comes back when the messages are gone and the sweeper was there") {
  StoreOptions options;
  options.in_memory = true;
  options.memory_bytes_max = 3'000'000;
  const auto opened = open_leveldb_store(options);
  REQUIRE(opened.has_value());
  QueueStore& store = **opened;
  write(store, {create_orders()});
  fill(store, 1, 3000, std::string(1000, 'x'));
  CHECK(store.room() == Room::kFull);
  for (std::uint64_t seq = 1; seq <= 3000; ++seq) {
    write(store, {erase(seq, std::string(1000, 'x'))}, Durability::kWritten);
  }
  CHECK(store.room() == Room::kFull);
  CHECK(store.tidy_due());
  std::vector<Discard> discards;
  while (store.tidy(discards) == Tidied::kMoreToDo) {
  }
  CHECK(store.room() == Room::kEnough);
}

}  // namespace
}  // namespace stompbox::queue::test

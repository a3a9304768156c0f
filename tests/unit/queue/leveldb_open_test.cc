#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

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
#include "tests/unit/queue/fixtures.h"
#include "tests/unit/queue/store_fixtures.h"

namespace stompbox::queue::test {
namespace {

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
  CHECK(says(error, "has format 4, written by a newer version; this one reads formats up to 3"));
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

TEST_CASE("a store of format 2 is read, and is of this format then") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    write(*store, {create_orders(), append(1), append(2)});
    write(*store, {erase(1)});  // at once, as format 2 did
  }
  {
    const auto db = open_raw(folder.path());
    std::string record;
    REQUIRE(db->Get({}, slice(store_key()), &record).ok());
    record.at(0) = 2;
    REQUIRE(db->Put({}, slice(store_key()), record).ok());
  }
  CHECK(all_seqs(*open(options)) == Seqs{2});
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

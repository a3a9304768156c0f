#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "storage/queue/leveldb_store.h"
#include "tests/unit/queue/fixtures.h"

// Real bytes of a log: cut, zeroed and flipped. An end as a crash leaves it is tolerated, damage
// before it is refused.
namespace stompbox::queue::test {
namespace {

namespace fs = std::filesystem;
using storage::ErrorCode;

constexpr std::uint64_t kCount = 200;
constexpr std::size_t kBodyBytes = 1500;  // so that the log has several blocks

StoreOptions options_of(const std::string& path) {
  StoreOptions options = small_store(path);
  options.write_buffer_bytes = 8 * 1024 * 1024;  // one log
  return options;
}

// A copy of a store as kill -9 leaves it: with all messages in its log, a batch each.
class KilledStore {
 public:
  KilledStore() {
    const TempFolder living;
    {
      auto opened = LeveldbStore::open(options_of(living.path()), {});
      REQUIRE(opened.has_value());
      write(**opened, {create_orders()});
      for (std::uint64_t seq = 1; seq <= kCount; ++seq) {
        write(**opened, {append(seq, std::string(kBodyBytes, 'x'))}, Durability::kWritten);
      }
      for (const auto& file : fs::directory_iterator(living.path())) {
        fs::copy(file.path(), folder_.path());
      }
    }
    for (const auto& file : fs::directory_iterator(folder_.path())) {
      if (file.path().extension() == ".log") log_ = file.path();
    }
    bytes_ = read();
    REQUIRE(bytes_.size() > 4 * 32768);
  }

  [[nodiscard]] const std::string& path() const { return folder_.path(); }
  [[nodiscard]] std::string bytes() const { return bytes_; }
  void set_log(const std::string& bytes) const {
    std::ofstream(log_, std::ios::binary | std::ios::trunc) << bytes;
  }

  // How many messages are there; nothing when the store is refused.
  [[nodiscard]] std::size_t survivors() const {
    auto opened = LeveldbStore::open(options_of(path()), {});
    REQUIRE_MESSAGE(opened.has_value(), (opened ? std::string() : opened.error().text));
    const auto found = all_seqs(**opened);
    for (std::size_t i = 0; i < found.size(); ++i)
      REQUIRE(found[i] == i + 1);
    CHECK((found.empty() || opened.value()->state().queues.at(0).message_count == found.size()));
    return found.size();
  }
  [[nodiscard]] storage::Error refusal() const {
    auto opened = LeveldbStore::open(options_of(path()), {});
    REQUIRE(!opened.has_value());
    return opened.error();
  }
  [[nodiscard]] bool has_torn_copy() const { return fs::exists(log_.string() + ".torn"); }

 private:
  [[nodiscard]] std::string read() const {
    std::ifstream in(log_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  TempFolder folder_;
  fs::path log_;
  std::string bytes_;
};

TEST_CASE("a killed store opens with all that was written") {
  const KilledStore store;
  CHECK(store.survivors() == kCount);
}

TEST_CASE("a log that ends anywhere in its last record opens without that record") {
  for (const std::size_t cut : {1, 5, 100, 1000, 1500}) {
    CAPTURE(cut);
    const KilledStore store;
    std::string bytes = store.bytes();
    bytes.resize(bytes.size() - cut);
    store.set_log(bytes);
    CHECK(store.survivors() == kCount - 1);
  }
}

TEST_CASE("zeros or old bytes in the place of the last record are cut off and kept aside") {
  for (const char filler : {'\0', 'x', '\xff'}) {
    CAPTURE(static_cast<int>(filler));
    const KilledStore store;
    std::string bytes = store.bytes();
    std::fill(bytes.end() - 1400, bytes.end(), filler);
    store.set_log(bytes);
    CHECK(store.survivors() == kCount - 1);
    CHECK(store.has_torn_copy());
  }
}

TEST_CASE("pages of zeros behind the last record do no harm") {
  const KilledStore store;
  store.set_log(store.bytes() + std::string(100'000, '\0'));
  CHECK(store.survivors() == kCount);
}

TEST_CASE("a large record that lost a page in its middle is cut off as a whole") {
  const KilledStore store;
  {
    auto opened = LeveldbStore::open(options_of(store.path()), {});
    REQUIRE(opened.has_value());
  }
  const TempFolder living;
  const TempFolder killed;
  auto opened = LeveldbStore::open(options_of(living.path()), {});
  REQUIRE(opened.has_value());
  write(**opened, {create_orders(), append(1)});
  write(**opened, {append(2, std::string(500'000, 'x'))});
  fs::path log;
  for (const auto& file : fs::directory_iterator(living.path())) {
    fs::copy(file.path(), killed.path());
    if (file.path().extension() == ".log") log = fs::path(killed.path()) / file.path().filename();
  }
  std::fstream file(log, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(200'000);
  file << std::string(4096, '\0');
  file.close();
  auto again = LeveldbStore::open(options_of(killed.path()), {});
  REQUIRE(again.has_value());
  CHECK(all_seqs(**again) == std::vector<std::uint64_t>{1});
}

TEST_CASE("damage in front of whole records is refused with the way to repair") {
  for (const std::size_t at : {100U, 20'000U, 32'768U, 100'000U}) {
    for (const std::size_t length : {1U, 6U, 2000U}) {
      CAPTURE(at);
      CAPTURE(length);
      const KilledStore store;
      std::string bytes = store.bytes();
      for (std::size_t i = at; i < at + length; ++i)
        bytes[i] = static_cast<char>(~bytes[i]);
      store.set_log(bytes);
      const storage::Error error = store.refusal();
      CHECK(error.code == ErrorCode::kCorrupt);
      CHECK(error.text.find(store.path()) != std::string::npos);
      CHECK(error.text.find("move the folder away") != std::string::npos);
      CHECK(!store.has_torn_copy());
    }
  }
}

TEST_CASE("damage in the last block in front of a whole record is refused too") {
  const KilledStore store;
  std::string bytes = store.bytes();
  // In the payload of the last record but one, and in a length.
  for (const std::size_t back : {std::size_t{1700}, 2 * (kBodyBytes + 130)}) {
    CAPTURE(back);
    std::string damaged = bytes;
    damaged[damaged.size() - back] = static_cast<char>(~damaged[damaged.size() - back]);
    store.set_log(damaged);
    CHECK(store.refusal().code == ErrorCode::kCorrupt);
  }
}

// Flips the bytes [at, at + length) of a file where it stands: open tables see it.
void flip(const fs::path& file, std::streamoff at, std::size_t length) {
  std::fstream open_file(file, std::ios::binary | std::ios::in | std::ios::out);
  std::string bytes(length, '\0');
  open_file.seekg(at);
  open_file.read(bytes.data(), static_cast<std::streamsize>(length));
  for (char& byte : bytes)
    byte = static_cast<char>(~byte);
  open_file.seekp(at);
  open_file.write(bytes.data(), static_cast<std::streamsize>(length));
  REQUIRE(open_file.good());
}

TEST_CASE("a damaged block of a table is told, the rest is delivered, and nothing is called dead") {
  const KilledStore killed;
  // The first start moves the log into a table.
  CHECK(killed.survivors() == kCount);
  fs::path table;
  for (const auto& file : fs::directory_iterator(killed.path())) {
    if (file.path().extension() == ".ldb") table = file.path();
  }
  REQUIRE(!table.empty());
  auto opened = LeveldbStore::open(options_of(killed.path()), {});
  REQUIRE(opened.has_value());
  LeveldbStore& store = **opened;
  flip(table, 0, 50);
  const LoadedPage damaged = load(store, at(1, 0), kCount);
  REQUIRE(damaged.error);
  CHECK(damaged.error->code == ErrorCode::kCorrupt);
  CHECK(damaged.error->text.find("/queue/orders") != std::string::npos);
  CHECK(!damaged.messages.empty());
  CHECK(damaged.messages.size() < kCount);
  flip(table, 0, 50);
  CHECK(all_seqs(store).size() == kCount);
}

}  // namespace
}  // namespace stompbox::queue::test

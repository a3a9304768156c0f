#include "broker/stompserver_import.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "storage/queue/leveldb_open.h"
#include "storage/queue/queue_store.h"
#include "tests/support/test_folder.h"

namespace stompbox {
namespace {

namespace fs = std::filesystem;
using Result = Import::Result;

constexpr std::int64_t kNowMs = 1'000'000;

// A storage folder of StompServer, and options as its face makes them.
struct Site {
  explicit Site(const std::string& data) : storage(folder.file("storage")) {
    fs::copy(std::string(STOMPBOX_TEST_DATA) + "/stompserver/" + data, storage,
             fs::copy_options::recursive);
    options.data_folder = storage + "/stompbox";
    options.routing.profile = routing::find_profile("stompserver");
    options.store.free_bytes_floor = 0;
  }
  storage::Result<Import> import() { return import_old_queues(storage, options, kNowMs); }
  Import imported() {
    auto done = import();
    REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().text));
    return *done;
  }

  support::TestFolder folder;
  std::string storage;
  options::Options options;
};

// Name and size of every file, those of ours left out.
std::map<std::string, std::uintmax_t> old_files(const Site& site) {
  std::map<std::string, std::uintmax_t> files;
  for (const auto& entry : fs::recursive_directory_iterator(site.storage)) {
    const std::string path = entry.path().string();
    if (!entry.is_regular_file() || path.starts_with(site.options.data_folder)) continue;
    files[path] = entry.file_size();
  }
  return files;
}

// All that waits in the store, by queue.
std::map<std::string, std::vector<queue::MessagePtr>> stored(const Site& site) {
  queue::StoreOptions store_options = site.options.store;
  store_options.path = options::queue_folder(site.options);
  const auto store = queue::open_leveldb_store(store_options);
  REQUIRE_MESSAGE(store.has_value(), (store ? "" : store.error().text));
  std::map<std::string, std::vector<queue::MessagePtr>> queues;
  for (const queue::QueueState& state : (*store)->state().queues) {
    std::vector<queue::Discard> discards;
    queue::LoadRequest request;
    request.queue = state.queue;
    for (const queue::LoadedMessage& loaded : (*store)->load(request, discards).messages)
      queues[state.name].push_back(loaded.message);
    CHECK(queues[state.name].size() == state.message_count);
  }
  return queues;
}

TEST_CASE("an old store is taken over, in order, and its files stay as they were") {
  for (const char* const data : {"ruby31", "ruby18"}) {
    CAPTURE(data);
    Site site(data);
    const auto before = old_files(site);
    const Import import = site.imported();
    CHECK(import.result == Result::kDone);
    CHECK(import.queue_count == 2);
    CHECK(import.message_count == 5);
    CHECK(import.skipped.empty());
    CHECK(old_files(site) == before);
    const auto queues = stored(site);
    REQUIRE(queues.contains("a"));
    REQUIRE(queues.at("a").size() == 3);
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(queues.at("a")[i]->body == "message " + std::to_string(i + 1));
    CHECK(queues.at("a")[0]->destination == "/queue/a");
    CHECK(queues.at("a")[0]->arrived_ms == kNowMs);
    CHECK(queues.at("a")[0]->header_block == "x-number:1\n");
    REQUIRE(queues.at("b/c").size() == 2);
    CHECK(queues.at("b/c")[0]->body == std::string("\x00\xff\n\x00", 4));
    CHECK(queues.at("b/c")[0]->header_block == "persistent:true\n");
    CHECK(queues.at("b/c")[1]->header_block == "colon:a\\cb\\cc\nempty:\n");
    CHECK_FALSE(queues.at("b/c")[1]->block_is_plain);
  }
}

TEST_CASE("an old store is taken over once") {
  Site site("ruby31");
  CHECK(site.imported().result == Result::kDone);
  const Import again = site.imported();
  CHECK(again.result == Result::kEarlier);
  CHECK(again.message_count == 0);
  CHECK(stored(site).at("a").size() == 3);
}

TEST_CASE("an index that was written since is told, and not taken over again") {
  Site site("ruby31");
  CHECK(site.imported().result == Result::kDone);
  std::ofstream(site.storage + "/qinfo", std::ios::app) << "x";
  CHECK(site.imported().result == Result::kChanged);
}

TEST_CASE("what a start left that did not come to its end does not count") {
  Site site("ruby31");
  fs::create_directories(site.options.data_folder + "/importing");
  std::ofstream(site.options.data_folder + "/importing/garbage") << "half";
  std::ofstream(site.options.data_folder + "/imported") << "half";
  CHECK(site.imported().result == Result::kDone);
  CHECK(stored(site).at("a").size() == 3);
  CHECK_FALSE(fs::exists(site.options.data_folder + "/importing"));
}

TEST_CASE("queues of ours that were there first are left alone") {
  Site site("ruby31");
  fs::create_directories(options::queue_folder(site.options));
  CHECK(site.imported().result == Result::kRefused);
  CHECK(fs::is_empty(options::queue_folder(site.options)));
}

TEST_CASE("damaged messages are skipped with a sentence each, and noted beside the store") {
  Site site("damaged");
  const Import import = site.imported();
  CHECK(import.result == Result::kDone);
  CHECK(import.message_count == 3);
  CHECK(import.skipped.size() == 3);
  const auto queues = stored(site);
  CHECK(queues.at("d").size() == 3);
  CHECK(queues.at("d")[1]->body == "message 4");
  std::ifstream note(site.options.data_folder + "/imported");
  const std::string text{std::istreambuf_iterator<char>(note), {}};
  for (const std::string& skipped : import.skipped)
    CHECK(text.find("left behind: " + skipped) != std::string::npos);
}

TEST_CASE("a dbm store is refused, and nothing is made or changed") {
  Site site("dbm");
  const auto before = old_files(site);
  const auto import = site.import();
  REQUIRE_FALSE(import.has_value());
  CHECK(import.error().code == storage::ErrorCode::kVersion);
  CHECK(old_files(site) == before);
  CHECK_FALSE(fs::exists(site.options.data_folder));
}

TEST_CASE("a folder without an index is nothing to take over") {
  Site site("dbm");
  fs::remove(site.storage + "/qinfo");
  CHECK(site.imported().result == Result::kNothing);
  CHECK_FALSE(fs::exists(site.options.data_folder));
}

TEST_CASE("without room nothing is taken over, and the next start tries again") {
  Site site("ruby31");
  site.options.store.free_bytes_floor = UINT64_MAX / 2;
  const auto import = site.import();
  REQUIRE_FALSE(import.has_value());
  CHECK(import.error().code == storage::ErrorCode::kFull);
  site.options.store.free_bytes_floor = 0;
  CHECK(site.imported().result == Result::kDone);
}

}  // namespace
}  // namespace stompbox

#include "storage/queue/leveldb_read_env.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/queue/fixtures.h"
#include "tests/unit/queue/store_fixtures.h"

namespace stompbox::queue::test {
namespace {

// The files of a folder that this process has mapped.
std::vector<std::string> mapped_files_of(const std::string& folder) {
  std::vector<std::string> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(folder) != std::string::npos) found.push_back(line);
  }
  return found;
}

std::unique_ptr<leveldb::RandomAccessFile> open_file(ReadEnv& env, const std::string& path) {
  leveldb::RandomAccessFile* opened = nullptr;
  REQUIRE(env.NewRandomAccessFile(path, &opened).ok());
  return std::unique_ptr<leveldb::RandomAccessFile>(opened);
}

std::string read(const leveldb::RandomAccessFile& file, std::uint64_t offset, std::size_t size) {
  std::string scratch(size, '?');
  leveldb::Slice result;
  REQUIRE(file.Read(offset, size, &result, scratch.data()).ok());
  return result.ToString();
}

TEST_CASE("a piece of a file is what stands there, and fewer bytes only at its end") {
  const TempFolder folder;
  const std::string path = folder.path() + "/file";
  std::ofstream(path) << "0123456789";
  ReadEnv env;
  const auto file = open_file(env, path);
  CHECK(read(*file, 0, 10) == "0123456789");
  CHECK(read(*file, 3, 4) == "3456");
  CHECK(read(*file, 7, 100) == "789");
  CHECK(read(*file, 10, 1).empty());
}

TEST_CASE("a file that is not there is not found, and one that cannot be read is an error") {
  const TempFolder folder;
  ReadEnv env;
  leveldb::RandomAccessFile* opened = nullptr;
  CHECK(env.NewRandomAccessFile(folder.path() + "/none", &opened).IsNotFound());
  CHECK(opened == nullptr);
  const auto file = open_file(env, folder.path());  // reading a folder fails
  char scratch[1];
  leveldb::Slice result;
  CHECK(file->Read(0, 1, &result, scratch).IsIOError());
  CHECK(result.empty());
}

TEST_CASE("tables are read, and none of them is mapped into memory") {
  const TempFolder folder;
  const std::string body(100'000, 'b');
  {
    const auto store = open(small_store(folder.path()));
    write(*store, {create_orders()});
    fill(*store, 1, 50, body);
    store->settle();  // from LevelDB's memory to a table
  }
  const auto store = open(small_store(folder.path()));
  const LoadedPage page = load(*store, at(1));
  REQUIRE_FALSE(page.messages.empty());
  CHECK(page.messages.front().message->body == body);
  CHECK(mapped_files_of(std::filesystem::canonical(folder.path()).string()).empty());
}

}  // namespace
}  // namespace stompbox::queue::test

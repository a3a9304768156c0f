#pragma once

#include <doctest/doctest.h>
#include <leveldb/db.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/queue/key_format.h"
#include "storage/queue/leveldb_store.h"
#include "tests/unit/queue/fixtures.h"

// What the tests of the store in LevelDB share.
namespace stompbox::queue::test {

using storage::ErrorCode;
using Seqs = std::vector<std::uint64_t>;

inline std::unique_ptr<LeveldbStore> open(const StoreOptions& options, LeveldbSeams seams = {}) {
  auto opened = LeveldbStore::open(options, std::move(seams));
  REQUIRE_MESSAGE(opened.has_value(), (opened ? std::string() : opened.error().text));
  return std::move(opened.value());
}

inline storage::Error refusal(const StoreOptions& options) {
  const auto opened = LeveldbStore::open(options, {});
  REQUIRE(!opened.has_value());
  return opened.error();
}

inline bool says(const storage::Error& error, std::string_view text) {
  return error.text.find(text) != std::string::npos;
}

// Changes the records of a closed store behind its back.
inline std::unique_ptr<leveldb::DB> open_raw(const std::string& path) {
  leveldb::Options options;
  options.create_if_missing = true;
  leveldb::DB* opened = nullptr;
  REQUIRE(leveldb::DB::Open(options, path, &opened).ok());
  return std::unique_ptr<leveldb::DB>(opened);
}

inline std::size_t count_keys(const std::string& path, KeyRange range) {
  const auto db = open_raw(path);
  const std::unique_ptr<leveldb::Iterator> keys(db->NewIterator(leveldb::ReadOptions()));
  std::size_t count = 0;
  for (keys->SeekToFirst(); keys->Valid(); keys->Next()) {
    if (keys->key()[0] == static_cast<char>(range)) ++count;
  }
  return count;
}

inline void fill(QueueStore& store, std::uint64_t from, std::uint64_t to,
                 const std::string& body = "x") {
  for (std::uint64_t seq = from; seq <= to;) {
    std::vector<Op> ops;
    for (int i = 0; i < 500 && seq <= to; ++i)
      ops.emplace_back(append(seq++, body));
    write(store, std::move(ops), Durability::kWritten);
  }
}

// As if each had had that body.
inline void erase_all(QueueStore& store, std::uint64_t from, std::uint64_t to,
                      const std::string& body = "x") {
  for (std::uint64_t seq = from; seq <= to;) {
    std::vector<Op> ops;
    for (int i = 0; i < 500 && seq <= to; ++i)
      ops.emplace_back(erase(seq++, body));
    write(store, std::move(ops), Durability::kWritten);
  }
}

}  // namespace stompbox::queue::test

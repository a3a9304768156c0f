// Gives a queue store another format number: store_format FOLDER NUMBER. For the tests that hold
// the broker against a store of a later version.

#include <cstdlib>
#include <iostream>
#include <memory>
#include <span>
#include <string>

#include <leveldb/db.h>

#include "storage/queue/key_format.h"

namespace {

using stompbox::queue::store_key;

leveldb::Slice key() {
  static const auto kKey = store_key();
  return {kKey.view().data(), kKey.view().size()};
}

// The number is the first varint of the record; both numbers have to be below 128.
leveldb::Status set_format(const std::string& folder, char number) {
  leveldb::DB* opened = nullptr;
  leveldb::Status status = leveldb::DB::Open(leveldb::Options(), folder, &opened);
  if (!status.ok()) return status;
  const std::unique_ptr<leveldb::DB> database(opened);
  std::string record;
  status = database->Get(leveldb::ReadOptions(), key(), &record);
  if (!status.ok()) return status;
  record.at(0) = number;
  leveldb::WriteOptions options;
  options.sync = true;
  return database->Put(options, key(), record);
}

}  // namespace

int main(int count, char** words) {
  const std::span<char*> arguments(words, static_cast<std::size_t>(count));
  if (arguments.size() != 3) {
    std::cerr << "usage: store_format FOLDER NUMBER\n";
    return 2;
  }
  const int number = std::atoi(arguments[2]);
  if (number < 1 || number > 127) {
    std::cerr << "store_format: the number is from 1 to 127\n";
    return 2;
  }
  const auto status = set_format(arguments[1], static_cast<char>(number));
  if (!status.ok()) std::cerr << "store_format: " << status.ToString() << '\n';
  return status.ok() ? 0 : 1;
}

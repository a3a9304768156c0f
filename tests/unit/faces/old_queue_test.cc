#include "broker/faces/old_queue.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "tests/support/test_folder.h"

// Folders that tests/data/stompserver/make.rb made.
namespace stompbox::faces {
namespace {

using storage::ErrorCode;

constexpr std::size_t kBytesMax = 1024 * 1024;

std::string data_folder(const std::string& name) {
  return std::string(STOMPBOX_TEST_DATA) + "/stompserver/" + name;
}

OldStore index_of(const std::string& name) {
  auto store = read_old_index(data_folder(name));
  REQUIRE_MESSAGE(store.has_value(), (store ? "" : store.error().text));
  return *store;
}

const OldQueue& queue_of(const OldStore& store, const std::string& destination) {
  const auto found =
      std::find_if(store.queues.begin(), store.queues.end(),
                   [&](const OldQueue& queue) { return queue.destination == destination; });
  REQUIRE(found != store.queues.end());
  return *found;
}

OldMessage message_of(const OldQueue& queue, std::size_t index) {
  auto message = read_old_message(queue, queue.ids.at(index), kBytesMax);
  REQUIRE_MESSAGE(message.has_value(), (message ? "" : message.error().text));
  return *message;
}

std::map<std::string, std::string> headers_of(const OldMessage& message) {
  return {message.headers.begin(), message.headers.end()};
}

void check_store(const std::string& name) {
  CAPTURE(name);
  const OldStore store = index_of(name);
  CHECK(store.troubles.empty());
  CHECK(store.queues.size() == 2);  // and not the empty one
  const OldQueue& a = queue_of(store, "/queue/a");
  REQUIRE(a.ids.size() == 3);  // and not the file that the index does not list
  for (std::size_t i = 0; i < a.ids.size(); ++i) {
    const OldMessage message = message_of(a, i);
    CHECK(message.body == "message " + std::to_string(i + 1));
    CHECK(headers_of(message).at("x-number") == std::to_string(i + 1));
  }
  const OldQueue& b = queue_of(store, "/queue/b/c");
  REQUIRE(b.ids.size() == 2);
  CHECK(message_of(b, 0).body == std::string("\x00\xff\n\x00", 4));
  const auto headers = headers_of(message_of(b, 1));
  CHECK(headers.at("colon") == "a:b:c");
  CHECK(headers.at("empty").empty());
  CHECK(message_of(b, 1).body.empty());
}

TEST_CASE("a store that Ruby 3.1 wrote is read, and only what its index lists") {
  check_store("ruby31");
}

TEST_CASE("a store that Ruby 1.8 wrote is read the same") {
  check_store("ruby18");
}

TEST_CASE("a body whose length was counted in characters is read whole") {
  const OldStore store = index_of("characters");
  CHECK(message_of(queue_of(store, "/queue/text"), 0).body ==
        "gr\xc3\xbc\xc3\x9f"
        "e");
}

TEST_CASE("a damaged message is one error that names its file, the others are read") {
  const OldStore store = index_of("damaged");
  const OldQueue& queue = queue_of(store, "/queue/d");
  REQUIRE(queue.ids.size() == 6);
  const std::map<std::size_t, ErrorCode> bad = {
      {1, ErrorCode::kNotFound}, {2, ErrorCode::kInvalid}, {4, ErrorCode::kInvalid}};
  for (std::size_t i = 0; i < queue.ids.size(); ++i) {
    CAPTURE(i);
    const auto message = read_old_message(queue, queue.ids[i], kBytesMax);
    REQUIRE(message.has_value() == !bad.contains(i));
    if (message) continue;
    CHECK(message.error().code == bad.at(i));
    CHECK(message.error().text.find(queue.ids[i]) != std::string::npos);
  }
}

TEST_CASE("a message beyond the bound is refused") {
  const OldStore store = index_of("ruby31");
  const OldQueue& queue = queue_of(store, "/queue/a");
  CHECK(read_old_message(queue, queue.ids[0], 20).error().code == ErrorCode::kTooLarge);
}

TEST_CASE("a dbm store is recognised and refused with the way out") {
  const auto store = read_old_index(data_folder("dbm"));
  REQUIRE_FALSE(store.has_value());
  CHECK(store.error().code == ErrorCode::kVersion);
  CHECK(store.error().text.find("dbm") != std::string::npos);
  CHECK(store.error().text.find("old server") != std::string::npos);
}

TEST_CASE("a folder without an index has none") {
  CHECK_FALSE(has_old_index(data_folder("")));
  CHECK(has_old_index(data_folder("ruby31")));
  CHECK(read_old_index(data_folder("")).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a message's file cut at every byte is refused") {
  const OldStore store = index_of("ruby31");
  const OldQueue& queue = queue_of(store, "/queue/a");
  std::ifstream file(queue.folder + "/" + queue.ids[0], std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(file), {}};
  REQUIRE(parse_old_message(whole).has_value());
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_FALSE(parse_old_message(std::string_view(whole).substr(0, length)).has_value());
  CHECK_FALSE(parse_old_message(whole + "x").has_value());
}

TEST_CASE("an index names queues and files, never other places") {
  const support::TestFolder folder;
  const std::string path = folder.path() + "/qinfo";
  const auto write_index = [&path](const std::string& name, const std::string& id) {
    const auto text = [](const std::string& value) {
      return std::string("\"") + static_cast<char>(value.size() + 5) + value;
    };
    std::ofstream(path, std::ios::binary)
        << "\x04\x08{\x06:\x0bqueues{\x06" << text(name) << "{\x06:\x0b"
        << "frames[\x06" << text(id);
  };
  write_index("/queue/a", "../qinfo");
  CHECK(read_old_index(folder.path())->queues.empty());
  CHECK(read_old_index(folder.path())->troubles.size() == 1);
  write_index("..", "qinfo");
  CHECK(read_old_index(folder.path())->queues.empty());
  CHECK(read_old_index(folder.path())->troubles.size() == 1);
  write_index("/queue/a", "id");
  CHECK(read_old_index(folder.path())->queues.size() == 1);
}

TEST_CASE("an index that is none is refused with the way out") {
  const support::TestFolder folder;
  for (const std::string& bytes :
       {std::string(), std::string("\x04\x08") + "0", std::string("x")}) {
    std::ofstream(folder.path() + "/qinfo", std::ios::binary) << bytes;
    const auto store = read_old_index(folder.path());
    REQUIRE_FALSE(store.has_value());
    CHECK(store.error().code == ErrorCode::kInvalid);
    CHECK(store.error().text.find("move ") != std::string::npos);
  }
}

}  // namespace
}  // namespace stompbox::faces

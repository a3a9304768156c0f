#include "tests/unit/queue/fixtures.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

namespace stompbox::queue::test {

TempFolder::TempFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "stompbox-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Place at(std::uint64_t seq, std::uint8_t priority) {
  return {PriorityClass{priority}, Seq{seq}};
}

MessagePtr message(std::uint64_t counter, std::string body, Persistence persistence,
                   std::uint32_t epoch) {
  auto made = std::make_shared<Message>();
  made->id = MessageId::make(epoch, counter);
  made->destination = kOrdersName;
  made->header_block = "content-type:text/plain\n";
  made->body = std::move(body);
  made->persistence = persistence;
  made->arrived_ms = 1'700'000'000'000 + static_cast<std::int64_t>(counter);
  return made;
}

Append append(std::uint64_t seq, std::string body, Urgency urgency) {
  return {kOrders, at(seq), message(seq, std::move(body)), urgency};
}

Append append_volatile(std::uint64_t seq, std::uint32_t epoch) {
  return {kOrders, at(seq), message(seq, "body", Persistence::kVolatile, epoch), Urgency::kNow};
}

Erase erase(std::uint64_t seq, std::string body, Urgency urgency) {
  const MessagePtr erased = message(seq, std::move(body));
  return {kOrders, at(seq), erased->id, erased->bytes(), erased->persistence, urgency};
}

CreateQueue create_orders() {
  return {kOrders, std::string(kOrdersName)};
}

StoreBatch batch_of(std::vector<Op> ops) {
  return {std::move(ops), {}};
}

void write(QueueStore& store, std::vector<Op> ops, Durability durability) {
  const storage::Status written = store.write(batch_of(std::move(ops)), durability);
  REQUIRE_MESSAGE(written.has_value(), (written ? std::string() : written.error().text));
}

LoadedPage load(QueueStore& store, Place from, std::size_t count_max, std::size_t bytes_max) {
  std::vector<Discard> discards;
  return store.load({kOrders, from, count_max, bytes_max}, discards);
}

std::vector<std::uint64_t> seqs(const LoadedPage& page) {
  std::vector<std::uint64_t> found;
  for (const LoadedMessage& loaded : page.messages)
    found.push_back(loaded.place.seq.value);
  return found;
}

std::vector<std::uint64_t> all_seqs(QueueStore& store, std::size_t page_count) {
  std::vector<std::uint64_t> found;
  Place from = at(1, 0);
  while (true) {
    const LoadedPage page = load(store, from, page_count);
    REQUIRE(!page.error);
    for (const std::uint64_t seq : seqs(page))
      found.push_back(seq);
    if (!page.more) return found;
    from = page.messages.back().place;
    ++from.seq.value;
  }
}

StoreOptions small_store(const std::string& path) {
  StoreOptions options;
  options.path = path;
  options.write_buffer_bytes = 64 * 1024;
  options.table_bytes = 1024 * 1024;
  options.free_bytes_floor = 0;
  return options;
}

bool wait_until(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace stompbox::queue::test

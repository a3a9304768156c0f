#include "storage/queue/message_pool.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace stompbox::queue {
namespace {

constexpr std::size_t kKept = 64 * 1024;

TEST_CASE("a message that was let go lends its memory to the next and nothing of what it said") {
  const MessagePool::Owner pool = MessagePool::make(kKept);
  std::shared_ptr<Message> first = pool->take();
  first->id = {7};
  first->destination = std::string(100, 'd');
  first->header_block = std::string(100, 'h');
  first->block_is_plain = false;
  first->body = std::string(1000, 'b');
  first->persistence = Persistence::kVolatile;
  first->arrived_ms = 1;
  first->expires_ms = 2;
  const void* const memory = first->body.data();
  first.reset();
  const std::shared_ptr<Message> next = pool->take();
  CHECK(next->body.data() == memory);
  CHECK(next->body.empty());
  CHECK(next->destination.empty());
  CHECK(next->header_block.empty());
  CHECK(next->block_is_plain);
  CHECK(next->id.value == 0);
  CHECK(next->persistence == Persistence::kDurable);
  CHECK(next->arrived_ms == 0);
  CHECK(next->expires_ms == 0);
}

TEST_CASE("what waits to be used again is bounded, and a large message is not kept") {
  const MessagePool::Owner pool = MessagePool::make(kKept);
  std::vector<std::shared_ptr<Message>> out;
  for (int i = 0; i < 200; ++i) {
    out.push_back(pool->take());
    out.back()->body.assign(1000, 'b');
  }
  out.clear();
  CHECK(pool->kept_bytes() <= kKept);
  CHECK(pool->kept_bytes() > kKept / 2);
  std::shared_ptr<Message> large = pool->take();
  const std::size_t before = pool->kept_bytes();
  large->body.assign(kKept / 8, 'b');
  large.reset();
  CHECK(pool->kept_bytes() == before);
}

TEST_CASE("a small text does not keep the memory of a large one") {
  std::string text(100'000, 'x');
  text.clear();
  fit_memory(text, 15);
  CHECK(text.capacity() <= 15);
  text.assign(400, 'x');
  const void* const memory = text.data();
  fit_memory(text, 100);
  CHECK(text.data() == memory);
}

TEST_CASE("messages outlive the pool that they came from") {
  MessagePool::Owner pool = MessagePool::make(kKept);
  std::shared_ptr<Message> spare = pool->take();
  std::shared_ptr<Message> kept = pool->take();
  kept->body = "still there";
  spare.reset();
  spare = pool->take();
  spare.reset();
  pool.reset();
  CHECK(kept->body == "still there");
  kept.reset();
}

TEST_CASE("one thread takes what another lets go") {
  MessagePool::Owner pool = MessagePool::make(kKept);
  std::vector<std::shared_ptr<Message>> page;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 100; ++i) {
      page.push_back(pool->take());
      page.back()->body.assign(500, 'b');
    }
    std::thread other([mine = std::exchange(page, {})]() mutable { mine.clear(); });
    for (int i = 0; i < 100; ++i)
      page.push_back(pool->take());
    other.join();
    for (const auto& message : page)
      CHECK(message->body.empty());
  }
  page.clear();
  CHECK(pool->kept_bytes() <= kKept);
}

}  // namespace
}  // namespace stompbox::queue

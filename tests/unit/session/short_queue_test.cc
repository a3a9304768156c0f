#include "broker/session/short_queue.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

namespace stompbox::session {
namespace {

TEST_CASE("a short queue gives what it got, in order, whatever is taken in between") {
  ShortQueue<std::string> queue;
  std::deque<std::string> expected;
  std::size_t next = 0;
  for (std::size_t round = 0; round < 200; ++round) {
    for (std::size_t i = 0; i < round % 7 + 1; ++i) {
      queue.push_back(std::to_string(next));
      expected.push_back(std::to_string(next++));
    }
    for (std::size_t i = 0; i < round % 5 && !expected.empty(); ++i) {
      CHECK(queue.front() == expected.front());
      queue.pop_front();
      expected.pop_front();
    }
    REQUIRE(queue.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      CHECK(queue[i] == expected[i]);
  }
  CHECK(queue.back() == expected.back());
  queue.pop_back();
  CHECK(queue.back() == expected[expected.size() - 2]);
  queue.clear();
  CHECK(queue.empty());
}

TEST_CASE("what has been taken from a short queue is let go at once") {
  ShortQueue<std::shared_ptr<int>> queue;
  const auto watched = std::make_shared<int>(1);
  queue.push_back(watched);
  queue.push_back(nullptr);
  CHECK(watched.use_count() == 2);
  queue.pop_front();
  CHECK(watched.use_count() == 1);
}

TEST_CASE(
    "an emptied short queue leaves its memory on the shelf, and the next takes it from there") {
  ShortQueue<std::size_t>::Shelf shelf;
  ShortQueue<std::size_t> first(&shelf, 1);
  ShortQueue<std::size_t> second(&shelf, 1);
  for (std::size_t i = 0; i < 1000; ++i) {
    first.push_back(i);
    second.push_back(i);
  }
  const void* const memory = &first.front();
  first.clear();
  second.clear();
  REQUIRE(shelf.size() == 1);
  ShortQueue<std::size_t> third(&shelf, 1);
  third.push_back(7);
  CHECK(shelf.empty());
  CHECK(static_cast<const void*>(&third.front()) == memory);
  CHECK(third.front() == 7);
  CHECK(third.size() == 1);
}

TEST_CASE(
    "a short queue keeps to itself what is small, and frees what the shelf is too small for") {
  ShortQueue<std::size_t>::Shelf shelf;
  ShortQueue<std::size_t> small(&shelf, 4);
  small.push_back(1);
  small.pop_front();
  CHECK(shelf.empty());
  ShortQueue<std::size_t> large(&shelf, 4);
  for (std::size_t i = 0; i < 100'000; ++i)
    large.push_back(i);
  large.clear();
  CHECK(shelf.empty());
}

}  // namespace
}  // namespace stompbox::session

#include "broker/net/deadlines.h"

#include <vector>

#include <doctest/doctest.h>

namespace stompbox::net {
namespace {

using std::chrono::seconds;

const Deadlines::TimePoint kStart{};

std::vector<std::uint64_t> all_due(Deadlines& deadlines, Deadlines::TimePoint now) {
  std::vector<std::uint64_t> due;
  while (const auto connection = deadlines.take_due(now))
    due.push_back(*connection);
  return due;
}

TEST_CASE("what is due comes in order of time, once") {
  Deadlines deadlines;
  deadlines.set(1, kStart + seconds(3));
  deadlines.set(2, kStart + seconds(1));
  deadlines.set(3, kStart + seconds(9));
  CHECK(deadlines.next() == kStart + seconds(1));
  CHECK(all_due(deadlines, kStart + seconds(3)) == std::vector<std::uint64_t>{2, 1});
  CHECK(all_due(deadlines, kStart + seconds(3)).empty());
  CHECK(deadlines.next() == kStart + seconds(9));
}

TEST_CASE("a deadline moves earlier at once and later only when it passes") {
  Deadlines deadlines;
  deadlines.set(1, kStart + seconds(5));
  deadlines.set(1, kStart + seconds(2));
  CHECK(deadlines.next() == kStart + seconds(2));
  deadlines.set(1, kStart + seconds(7));
  CHECK(deadlines.next() == kStart + seconds(2));
  CHECK(all_due(deadlines, kStart + seconds(2)) == std::vector<std::uint64_t>{1});
  deadlines.set(1, kStart + seconds(7));
  CHECK(deadlines.next() == kStart + seconds(7));
}

TEST_CASE("a forgotten connection is never due") {
  Deadlines deadlines;
  deadlines.set(1, kStart);
  deadlines.set(2, kStart);
  deadlines.forget(1);
  deadlines.forget(1);
  CHECK(all_due(deadlines, kStart) == std::vector<std::uint64_t>{2});
  CHECK_FALSE(deadlines.next().has_value());
}

}  // namespace
}  // namespace stompbox::net

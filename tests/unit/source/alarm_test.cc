#include "broker/alarm.h"

#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <asio/post.hpp>

namespace stompbox::test {
namespace {

using namespace std::chrono_literals;

Alarm::TimePoint now() {
  return std::chrono::steady_clock::now();
}

TEST_CASE("an alarm calls once a moment, not before it") {
  asio::io_context io;
  int calls = 0;
  Alarm alarm(io, [&calls] { ++calls; });
  const auto at = now() + 20ms;
  alarm.set(at);
  io.run();  // ends when nothing is armed any more
  CHECK(calls == 1);
  CHECK(now() >= at);
}

TEST_CASE("a moment that is over is called from the loop, not from within set") {
  asio::io_context io;
  int calls = 0;
  Alarm alarm(io, [&calls] { ++calls; });
  alarm.set(now() - 1h);
  CHECK(calls == 0);
  io.run();
  CHECK(calls == 1);
}

TEST_CASE("an alarm is set anew from its own call, for the same moment too") {
  asio::io_context io;
  int calls = 0;
  const auto at = now();
  Alarm* self = nullptr;
  Alarm alarm(io, [&] {
    if (++calls < 3) self->set(at);
  });
  self = &alarm;
  alarm.set(at);
  io.run();
  CHECK(calls == 3);
}

TEST_CASE("the same moment twice is one call") {
  asio::io_context io;
  int calls = 0;
  Alarm alarm(io, [&calls] { ++calls; });
  const auto at = now() + 5ms;
  alarm.set(at);
  alarm.set(at);
  io.run();
  CHECK(calls == 1);
}

TEST_CASE("a moment that was taken back does not come, and the loop has nothing to wait for") {
  asio::io_context io;
  int calls = 0;
  Alarm alarm(io, [&calls] { ++calls; });
  alarm.set(now() + 1h);
  alarm.set(std::nullopt);
  io.run();
  CHECK(calls == 0);
}

TEST_CASE("an earlier moment takes the place of a later one") {
  asio::io_context io;
  int calls = 0;
  Alarm alarm(io, [&calls] { ++calls; });
  alarm.set(now() + 1h);
  alarm.set(now() + 1ms);
  io.run_one();  // the cancelled wait, or the call
  while (calls == 0)
    io.run_one();
  CHECK(calls == 1);
  CHECK(io.stopped());
}

// Both are due in the same turn of the loop: whose handler comes first replaces the other's moment.
TEST_CASE("a moment that was replaced does not come, though its wait was over") {
  asio::io_context io;
  int first_calls = 0, second_calls = 0;
  Alarm* first = nullptr;
  Alarm* second = nullptr;
  Alarm one(io, [&] {
    ++first_calls;
    second->set(std::nullopt);
  });
  Alarm other(io, [&] {
    ++second_calls;
    first->set(std::nullopt);
  });
  first = &one;
  second = &other;
  const auto at = now() - 1s;
  one.set(at);
  other.set(at);
  io.run();
  CHECK(first_calls + second_calls == 1);
}

}  // namespace
}  // namespace stompbox::test

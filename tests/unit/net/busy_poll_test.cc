#include "broker/net/busy_poll.h"

#include <doctest/doctest.h>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <thread>

#include "tests/support/thread_time.h"

namespace stompbox::net {
namespace {

using namespace std::chrono_literals;

BusyPoll after_short_rests(std::uint32_t count) {
  BusyPoll poll(50us);
  for (std::uint32_t i = 0; i < count; ++i)
    poll.rested(10us);
  return poll;
}

TEST_CASE("a loop sleeps at once until four rests in a row were short") {
  CHECK_FALSE(after_short_rests(0).stays_awake(0us));
  CHECK_FALSE(after_short_rests(3).stays_awake(0us));
  CHECK(after_short_rests(4).stays_awake(0us));
  CHECK(after_short_rests(1000).stays_awake(49us));
}

TEST_CASE("a loop that has been awake for the longest time sleeps") {
  CHECK_FALSE(after_short_rests(4).stays_awake(50us));
  CHECK_FALSE(after_short_rests(4).stays_awake(1h));
}

TEST_CASE("one long rest, and four short ones are wanted again") {
  BusyPoll poll = after_short_rests(1000);
  poll.rested(50us);
  CHECK_FALSE(poll.stays_awake(0us));
  for (int i = 0; i < 3; ++i)
    poll.rested(1us);
  CHECK_FALSE(poll.stays_awake(0us));
  poll.rested(1us);
  CHECK(poll.stays_awake(0us));
}

TEST_CASE("a loop that never stays awake sleeps whatever its rests were") {
  BusyPoll poll(BusyPoll::kNever);
  for (int i = 0; i < 10; ++i)
    poll.rested(0us);
  CHECK_FALSE(poll.stays_awake(0us));
}

TEST_CASE("a loop runs what another thread posts to it until it is stopped") {
  asio::io_context io{1};
  const auto keep_running = asio::make_work_guard(io);
  int done = 0;
  std::thread other([&io, &done] {
    for (int i = 0; i < 1000; ++i) {
      asio::post(io, [&done] { ++done; });
      std::this_thread::yield();
    }
    asio::post(io, [&io] { io.stop(); });
  });
  run(io, BusyPoll(BusyPoll::kUsual));
  other.join();
  CHECK(done == 1000);
}

TEST_CASE("a loop ends when it has no work left") {
  asio::io_context io{1};
  int done = 0;
  asio::post(io, [&done] { ++done; });
  run(io, BusyPoll(BusyPoll::kUsual));
  CHECK(done == 1);
}

TEST_CASE("a loop whose rests are long takes no processor time for them") {
  asio::io_context io{1};
  asio::steady_timer timer(io);
  int ticks = 0;
  std::function<void()> again = [&] {
    if (++ticks == 50) return;
    timer.expires_after(2ms);
    timer.async_wait([&](std::error_code) { again(); });
  };
  again();
  const auto before = support::thread_seconds();
  run(io, BusyPoll(BusyPoll::kUsual));
  CHECK(ticks == 50);
  CHECK(support::thread_seconds() - before < 0.05);
}

}  // namespace
}  // namespace stompbox::net

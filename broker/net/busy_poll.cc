#include "broker/net/busy_poll.h"

#include <optional>

namespace stompbox::net {
namespace {

using Clock = std::chrono::steady_clock;

void work_off(asio::io_context& io) {
  while (io.poll() > 0) {
  }
}

// Nothing: it has found no event in the time that it may stay awake.
std::optional<Clock::duration> rest_awake(asio::io_context& io, const BusyPoll& poll,
                                          Clock::time_point begin) {
  Clock::duration rested{0};
  while (poll.stays_awake(rested)) {
    if (io.poll() > 0 || io.stopped()) return rested;
    rested = Clock::now() - begin;
  }
  return std::nullopt;
}

}  // namespace

void run(asio::io_context& io, BusyPoll poll) {
  while (!io.stopped()) {
    work_off(io);
    const auto begin = Clock::now();
    if (const auto rest = rest_awake(io, poll, begin)) {
      poll.rested(*rest);
    } else {
      io.run_one();
      poll.rested(Clock::now() - begin);
    }
  }
}

}  // namespace stompbox::net

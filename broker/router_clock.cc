#include "broker/router_clock.h"

#include <algorithm>
#include <system_error>

#include "broker/net/connections.h"

namespace stompbox {
namespace {

// The wall clock may be set while the timer runs: it is looked at again at least that often.
constexpr std::chrono::milliseconds kLongestWait{30'000};

}  // namespace

RouterClock::RouterClock(asio::io_context& io, routing::Router& router)
    : router_(router), timer_(io) {
  router_.on_earlier_event([this] { arm(); });
  look();
}

RouterClock::~RouterClock() {
  router_.on_earlier_event({});
}

void RouterClock::look() {
  armed_for_ms_.reset();
  router_.on_time(net::clock_now().wall_ms);
  arm();
}

// Happens in the middle of the router's work: it only sets the timer.
void RouterClock::arm() {
  const auto next_ms = router_.next_event_ms();
  if (!next_ms || (armed_for_ms_ && *armed_for_ms_ <= *next_ms)) return;
  armed_for_ms_ = next_ms;
  const std::chrono::milliseconds wait(
      std::max<std::int64_t>(*next_ms - net::clock_now().wall_ms, 0));
  timer_.expires_after(std::min(wait, kLongestWait));
  timer_.async_wait([this](std::error_code cancelled) {
    if (!cancelled) look();
  });
}

}  // namespace stompbox

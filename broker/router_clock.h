#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "broker/routing/router.h"

namespace stompbox {

// Tells the router the time whenever something of it falls due: expiry, schedules, delayed returns,
// idle queues. One timer, armed only while there is something to wait for. Loop thread.
class RouterClock {
 public:
  // Both outlive this; `io` is not run afterwards.
  RouterClock(asio::io_context& io, routing::Router& router);
  ~RouterClock();
  RouterClock(const RouterClock&) = delete;
  RouterClock& operator=(const RouterClock&) = delete;

 private:
  void look();
  void arm();

  routing::Router& router_;
  asio::steady_timer timer_;
  std::optional<std::int64_t> armed_for_ms_;  // wall clock
};

}  // namespace stompbox

#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

namespace stompbox {

// Calls back when a moment has come, for a stage that says after everything that happens when it
// next wants to be called. Loop thread only.
class Alarm {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // `io` outlives this and is not run afterwards. `on_time` is called from its loop only, never
  // from within set(), and may call set().
  Alarm(asio::io_context& io, std::function<void()> on_time);

  // In place of what was set; nothing: no call. One call a moment, at once when it is over. The
  // same moment again costs nothing. A moment that was replaced does not come any more, though it
  // was over.
  void set(std::optional<TimePoint> at);

 private:
  void wait();

  asio::steady_timer timer_;
  const std::function<void()> on_time_;
  std::optional<TimePoint> at_;
};

}  // namespace stompbox

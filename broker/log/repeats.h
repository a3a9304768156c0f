#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace stompbox::log {

// Keeps one kind of line from filling the log: so many a period, the next of which says how many
// were left out. Owned by whoever writes that kind of line; single-threaded.
class Repeats {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Repeats(std::uint32_t count_max, std::chrono::milliseconds period)
      : count_max_(count_max), period_(period) {}

  // How many lines were left out since the last that was let through; nothing: leave this out too.
  [[nodiscard]] std::optional<std::uint64_t> next(TimePoint now);

 private:
  const std::uint32_t count_max_;
  const std::chrono::milliseconds period_;
  TimePoint period_start_{};
  std::uint32_t in_period_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace stompbox::log

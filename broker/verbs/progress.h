#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace stompbox::verbs {

// "checking  [########------------]  41 %  1,230 of 3,000 nodes, 12 s left"; without a known total:
// "checking  1,230 nodes".
struct ProgressState {
  std::string what, unit;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0: not known
  std::chrono::milliseconds elapsed{0};
};
[[nodiscard]] std::string progress_line(const ProgressState& state);

// Tells on standard error how far long work has come: on a terminal only, only when the work takes
// longer than half a second, and at most ten times a second. The line is gone afterwards.
class Progress {
 public:
  // `what` as in "checking", `unit` as in "nodes".
  Progress(std::string what, std::string unit, std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void at(std::uint64_t done);
  void set_total(std::uint64_t total) { state_.total = total; }

 private:
  using Clock = std::chrono::steady_clock;

  const Clock::time_point start_;
  ProgressState state_;
  Clock::time_point next_;
  bool shown_ = false;
};

}  // namespace stompbox::verbs

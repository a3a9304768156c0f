#pragma once

#include <chrono>
#include <cstdint>
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

}  // namespace stompbox::verbs

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stompbox::verbs {

// How often which duration was measured, in classes of which each is 1.6 % of its durations wide:
// 30 kB, however many are added. What is less than nothing counts as nothing.
class Latencies {
 public:
  using Duration = std::chrono::nanoseconds;

  void add(Duration duration);
  void add(const Latencies& more);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // What so many of all, 0 to 1, do not exceed: the upper end of its class, but never more than
  // the longest. 0 if nothing was added.
  [[nodiscard]] Duration quantile(double share) const;
  [[nodiscard]] Duration longest() const { return Duration(longest_); }

  // For another process of the same program. Nothing if these are not such bytes.
  [[nodiscard]] std::string bytes() const;
  [[nodiscard]] static std::optional<Latencies> from_bytes(std::string_view bytes);

 private:
  // Below 64 ns a class each; then 64 for each power of two.
  static constexpr std::size_t kSteps = 64;
  static constexpr int kStepBits = 6;
  static constexpr std::size_t kClasses = kSteps * 59;
  [[nodiscard]] static std::size_t class_of(std::uint64_t nanoseconds);
  [[nodiscard]] static std::uint64_t end_of(std::size_t index);

  std::array<std::uint64_t, kClasses> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t longest_ = 0;
};

}  // namespace stompbox::verbs

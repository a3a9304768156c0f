#include "broker/verbs/latencies.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace stompbox::verbs {

std::size_t Latencies::class_of(std::uint64_t nanoseconds) {
  if (nanoseconds < kSteps) return static_cast<std::size_t>(nanoseconds);
  const int shift = static_cast<int>(std::bit_width(nanoseconds)) - 1 - kStepBits;
  const auto step = static_cast<std::size_t>(nanoseconds >> shift) - kSteps;
  return kSteps * (static_cast<std::size_t>(shift) + 1) + step;
}

// The longest duration of the class.
std::uint64_t Latencies::end_of(std::size_t index) {
  if (index < kSteps) return index;
  const std::size_t shift = index / kSteps - 1;
  const std::uint64_t step = kSteps + index % kSteps;
  return (step << shift) + ((std::uint64_t{1} << shift) - 1);
}

void Latencies::add(Duration duration) {
  const auto nanoseconds = static_cast<std::uint64_t>(std::max<Duration::rep>(duration.count(), 0));
  counts_[class_of(nanoseconds)] += 1;
  count_ += 1;
  longest_ = std::max(longest_, nanoseconds);
}

void Latencies::add(const Latencies& more) {
  for (std::size_t i = 0; i < counts_.size(); ++i)
    counts_[i] += more.counts_[i];
  count_ += more.count_;
  longest_ = std::max(longest_, more.longest_);
}

Latencies::Duration Latencies::quantile(double share) const {
  const double wanted = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::max<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1);
  std::uint64_t passed = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    passed += counts_[i];
    if (passed >= rank) return Duration(std::min(end_of(i), longest_));
  }
  return Duration(0);
}

std::string Latencies::bytes() const {
  static_assert(std::is_trivially_copyable_v<Latencies>);
  std::string out(sizeof *this, '\0');
  std::memcpy(out.data(), this, sizeof *this);
  return out;
}

std::optional<Latencies> Latencies::from_bytes(std::string_view bytes) {
  if (bytes.size() != sizeof(Latencies)) return std::nullopt;
  Latencies latencies;
  std::memcpy(static_cast<void*>(&latencies), bytes.data(), bytes.size());
  return latencies;
}

}  // namespace stompbox::verbs

#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <cstdint>

namespace stompbox::net {

// Whether a loop stays awake for its next event. A thread that sleeps is late by the 5 to 20 us
// that waking takes, which is most of what the broker adds to a request and its reply. So when the
// last rests have been short, the loop looks again and again for so long, and only then sleeps;
// after one long rest it sleeps at once until rests are short again. The time is handed in.
class BusyPoll {
 public:
  using Duration = std::chrono::nanoseconds;

  static constexpr Duration kUsual = std::chrono::microseconds(50);
  static constexpr Duration kNever{0};
  static constexpr std::uint32_t kShortRestsEnough = 4;

  explicit BusyPoll(Duration longest) : longest_(longest) {}

  // Whether to look once more instead of sleeping, after so much of this rest.
  [[nodiscard]] bool stays_awake(Duration rested) const {
    return short_rests_ >= kShortRestsEnough && rested < longest_;
  }
  // A rest has ended, and lasted so long.
  void rested(Duration rest) {
    if (rest >= longest_) {
      short_rests_ = 0;
    } else if (short_rests_ < kShortRestsEnough) {
      ++short_rests_;
    }
  }

 private:
  const Duration longest_;
  std::uint32_t short_rests_ = 0;  // in a row; no more than are enough are counted
};

// io.run(), but for how it rests. The handler that ends a sleep counts as part of it: busy
// stretches make rests look long, and then there is nothing to gain.
void run(asio::io_context& io, BusyPoll poll);

}  // namespace stompbox::net

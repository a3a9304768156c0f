#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace stompbox::client {

struct FailoverOptions {
  std::chrono::milliseconds first{250};  // after the list has failed once; then doubled
  std::chrono::milliseconds most{30'000};
};

// Which of several brokers is tried when. The list is gone through in its order, without a pause
// but at its end; a connection that was of use begins it anew, so that the first is preferred.
class Failover {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // `count`: brokers in the list, at least 1.
  Failover(std::size_t count, FailoverOptions options);

  [[nodiscard]] std::size_t current() const { return current_; }
  [[nodiscard]] TimePoint next_try() const { return next_try_; }
  // The connection to the current one was of use.
  void worked();
  // It cannot be had, or has ended.
  void failed(TimePoint now);

 private:
  const std::size_t count_;
  const FailoverOptions options_;
  std::size_t current_ = 0;
  bool worked_ = false;
  std::chrono::milliseconds pause_{0};  // 0: none yet
  TimePoint next_try_{};
};

}  // namespace stompbox::client

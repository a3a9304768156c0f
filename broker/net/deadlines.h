#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace stompbox::net {

// When each connection next wants to be called, for one timer that serves all of them. A deadline
// that moves later is noticed when the old one passes: beats that come in time cost nothing here.
class Deadlines {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // No later than this, `connection` will be due.
  void set(std::uint64_t connection, TimePoint when);
  void forget(std::uint64_t connection);

  [[nodiscard]] std::optional<TimePoint> next() const;
  // Takes one that is due.
  [[nodiscard]] std::optional<std::uint64_t> take_due(TimePoint now);

 private:
  std::set<std::pair<TimePoint, std::uint64_t>> by_time_;
  std::map<std::uint64_t, TimePoint> by_connection_;
};

}  // namespace stompbox::net

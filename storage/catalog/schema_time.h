#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace stompbox::catalog {

// "YYYY-MM-DD HH:MM:SS" of such a timestamp: what ActiveRecord 2 wrote, and all that the many rows
// of values and tags carry.
[[nodiscard]] inline std::string_view to_seconds(std::string_view timestamp) {
  return timestamp.substr(0, 19);
}

// Writes timestamps as ActiveRecord does: "YYYY-MM-DD HH:MM:SS.ffffff" in local time (facts 3.4),
// with so many digits behind the point; none: without the point. Asks for the time zone once a
// second only. Single-threaded.
class LocalTimestamps {
 public:
  explicit LocalTimestamps(std::size_t digits = 6) : digits_(digits) {}

  [[nodiscard]] std::string at(std::chrono::system_clock::time_point time);
  [[nodiscard]] std::string now() { return at(std::chrono::system_clock::now()); }

 private:
  const std::size_t digits_;  // at most 6
  std::chrono::seconds second_{-1};
  std::string prefix_;  // of second_
};

}  // namespace stompbox::catalog

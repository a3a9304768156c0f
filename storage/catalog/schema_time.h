#pragma once

#include <chrono>
#include <string>

namespace stompbox::catalog {

// Writes timestamps as ActiveRecord does: "YYYY-MM-DD HH:MM:SS.ffffff" in local time (facts 3.4).
// Asks for the time zone once a second only. Single-threaded.
class LocalTimestamps {
 public:
  [[nodiscard]] std::string at(std::chrono::system_clock::time_point time);
  [[nodiscard]] std::string now() { return at(std::chrono::system_clock::now()); }

 private:
  std::chrono::seconds second_{-1};
  std::string prefix_;  // of second_
};

}  // namespace stompbox::catalog

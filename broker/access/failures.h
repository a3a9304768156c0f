#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace stompbox::access {

// How often logins from an address failed of late. Bounded: when the table is full, the address
// that has been quiet longest is forgotten. Single-threaded.
class Failures {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Failures(std::size_t addresses_max, std::chrono::milliseconds memory)
      : addresses_max_(addresses_max), memory_(memory) {}

  void add(std::string_view address, TimePoint now);
  void clear(std::string_view address);  // somebody there knew a passcode
  // When the failure that was added last may be told: at the end of the holds of those before it.
  // `hold`: its own, for the next.
  [[nodiscard]] TimePoint tell_at(std::string_view address, TimePoint now,
                                  std::chrono::milliseconds hold);
  [[nodiscard]] std::uint32_t count(std::string_view address, TimePoint now) const;
  [[nodiscard]] std::size_t addresses() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint32_t count = 0;
    TimePoint last;
    TimePoint held_until;
  };
  void make_room();

  const std::size_t addresses_max_;
  const std::chrono::milliseconds memory_;
  std::unordered_map<std::string, Entry> entries_;
};

// `shortest` doubled for each failure, up to `longest`.
[[nodiscard]] std::chrono::milliseconds hold_after(std::uint32_t failures,
                                                   std::chrono::milliseconds shortest,
                                                   std::chrono::milliseconds longest);

}  // namespace stompbox::access

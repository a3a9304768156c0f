#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "broker/access/options.h"

namespace stompbox::access {

// How many connections an address and a user have, and how fast they come: a bucket of
// connection_burst_max tokens, filled by connection_rate_max a second. Single-threaded. Addresses
// without connections are forgotten when there are too many of them.
class DoorLimits {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // `options` outlives this.
  explicit DoorLimits(const AccessOptions& options) : options_(options) {}

  enum class Bounds : std::uint8_t { kHold, kNone };  // kNone: counted, never refused
  enum class Arrival : std::uint8_t { kIn, kTooMany, kTooFast };
  // `connection` is in then, until it leaves.
  [[nodiscard]] Arrival arrive(std::uint64_t connection, std::string_view address, Bounds bounds,
                               TimePoint now);
  void leave(std::uint64_t connection);

  enum class Login : std::uint8_t { kIn, kTooMany };
  // Counts the connection for the user, too. One that has left meanwhile is let through.
  [[nodiscard]] Login log_in(std::uint64_t connection, std::string_view user);

  [[nodiscard]] std::size_t addresses() const { return addresses_.size(); }
  [[nodiscard]] std::size_t users() const { return users_.size(); }

 private:
  struct Address {
    std::size_t connections = 0;
    double tokens = 0;
    TimePoint filled;
  };
  using AddressMap = std::unordered_map<std::string, Address>;
  using UserMap = std::unordered_map<std::string, std::size_t>;
  struct Connection {  // elements of the maps stay where they are
    AddressMap::value_type* address = nullptr;
    UserMap::value_type* user = nullptr;
  };

  void fill(Address& address, TimePoint now) const;
  void make_room(TimePoint now);

  const AccessOptions& options_;
  AddressMap addresses_;
  UserMap users_;
  std::unordered_map<std::uint64_t, Connection> connections_;
};

}  // namespace stompbox::access

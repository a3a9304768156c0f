#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace stompbox::access {

struct AccessOptions {
  std::string users_file;  // empty: everybody is welcome
  // Lets a listener that other machines can reach go without a users file.
  bool anonymous_from_anywhere = false;
  // Logins that wait for their hash at once; the next is told to try later.
  std::size_t waiting_checks_max = 256;
  // Verified credentials that are remembered, so that a reconnect costs no hash.
  std::size_t remembered_count_max = 10'000;
  // How long an address that keeps failing is held after its ERROR: doubled from the session's own
  // hold with every failure after the first, up to this.
  std::chrono::milliseconds failure_hold_max{10'000};
  // After so long without a failure an address has a clean slate.
  std::chrono::milliseconds failure_memory{600'000};
  std::size_t failure_addresses_max = 10'000;
  // Hashes of one address that may be under way at once.
  std::uint32_t checks_per_address_max = 4;
};

}  // namespace stompbox::access

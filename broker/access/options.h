#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace stompbox::access {

enum class PlainUsersFormat : std::uint8_t { kStompServer, kCoilmq };

// What of a client certificate may stand in for login and passcode.
enum class CertificateLogin : std::uint8_t {
  kOff,
  kSubject,     // the whole, "CN=node1,O=Example"
  kCommonName,  // its CN
  kSan,         // a DNS, mail or URI name: the first that names a user
};

struct AccessOptions {
  std::string users_file;  // with hashes; empty: none
  // A foreign one with plain passcodes; the faces set it.
  std::string plain_users_file;
  PlainUsersFormat plain_users_format = PlainUsersFormat::kStompServer;
  // Who may do what; empty: who is in may do everything.
  std::string rules_file;
  // Lets a listener that other machines can reach go without anybody being asked who they are.
  bool anonymous_from_anywhere = false;
  CertificateLogin certificate_login = CertificateLogin::kOff;
  // "PATTERN -> USER", the first that matches counts: `*` stands for any letters, and for the same
  // letters in USER. Empty: the certificate's text is the user. If none matches it logs nobody in.
  std::vector<std::string> certificate_users;

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

  // Bounds at the door; 0: none. An address is a host, or with IPv6 its network of 64 bits.
  std::size_t connections_per_address_max = 5000;
  std::size_t connections_per_user_max = 0;
  // New connections of an address: so many at once, and so many a second from then on.
  std::size_t connection_burst_max = 2000;
  std::size_t connection_rate_max = 50;
  // Whether the bounds on addresses hold for this machine's own, too.
  bool loopback_is_bounded = false;
};

// Whether anybody has to say who they are.
[[nodiscard]] inline bool asks_who(const AccessOptions& options) {
  return !options.users_file.empty() || !options.plain_users_file.empty() ||
         options.certificate_login != CertificateLogin::kOff;
}

}  // namespace stompbox::access

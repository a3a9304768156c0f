#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/result.h"

namespace stompbox::net {

// What is spoken on a listener.
enum class Scheme : std::uint8_t {
  kTcp,   // STOMP
  kTls,   // STOMP over TLS; also written stomps:// or ssl://
  kWs,    // STOMP over WebSocket
  kWss,   // and that over TLS
  kAuto,  // any of these, by the first bytes that come
};
[[nodiscard]] std::string_view to_text(Scheme scheme);

// Where to listen: "SCHEME://ADDR:PORT". ADDR is an IPv4 address, an IPv6 address in brackets,
// "localhost" for 127.0.0.1 or "*" for all addresses of the machine. Names are never looked up.
struct ListenAddress {
  std::string host;        // numeric, without brackets
  std::uint16_t port = 0;  // 0: any that is free
  Scheme scheme = Scheme::kTcp;

  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

// kInvalid, with a sentence that says what is right.
[[nodiscard]] storage::Result<ListenAddress> parse_listen_address(std::string_view text);
[[nodiscard]] std::string to_text(const ListenAddress& address);

enum class Reach { kThisMachine, kOtherMachines };
[[nodiscard]] Reach reach_of(const ListenAddress& address);

}  // namespace stompbox::net

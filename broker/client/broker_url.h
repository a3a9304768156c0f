#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/result.h"

namespace stompbox::client {

enum class Transport : std::uint8_t { kPlain, kTls };

// Where a broker is: "tcp://HOST:PORT", "tcp://HOST", "HOST:PORT" or "HOST"; "tls://", "stomps://"
// or "ssl://" for TLS; an IPv6 address in brackets. Without a port it is STOMP's own, 61613, with
// TLS 61614.
struct BrokerUrl {
  std::string host;
  std::string port;
  Transport transport = Transport::kPlain;

  friend bool operator==(const BrokerUrl&, const BrokerUrl&) = default;
};

[[nodiscard]] storage::Result<BrokerUrl> parse_broker_url(std::string_view text);
[[nodiscard]] std::string to_text(const BrokerUrl& url);

}  // namespace stompbox::client

#pragma once

#include <string>
#include <string_view>

#include "storage/result.h"

namespace stompbox::client {

// Where a broker is: "tcp://HOST:PORT", "tcp://HOST", "HOST:PORT" or "HOST"; an IPv6 address in
// brackets. Without a port it is STOMP's own, 61613.
struct BrokerUrl {
  std::string host;
  std::string port;

  friend bool operator==(const BrokerUrl&, const BrokerUrl&) = default;
};

[[nodiscard]] storage::Result<BrokerUrl> parse_broker_url(std::string_view text);
[[nodiscard]] std::string to_text(const BrokerUrl& url);

}  // namespace stompbox::client

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/client/broker_url.h"
#include "storage/result.h"

namespace stompbox::client {

// What is consumed, and where:
//
//   stomp://USER:PASSCODE@HOST:PORT,HOST2:PORT2/queue/NAME
//   stomps://HOST,HOST2:PORT2/queue/NAME            with TLS
//
// User and passcode are percent-decoded, and may be left out; so may be the ports (61613, with TLS
// 61614) and the queue. tcp:// and tls:// mean the same.
struct SourceUrl {
  std::vector<BrokerUrl> brokers;  // at least one, in order of preference
  std::string login;
  std::string passcode;
  std::string destination;  // with its leading '/'; empty: not named
};

// kInvalid with a sentence; it never shows the passcode.
[[nodiscard]] storage::Result<SourceUrl> parse_source_url(std::string_view text);
// As the log and the status name it: without user and passcode.
[[nodiscard]] std::string to_text(const SourceUrl& source);

}  // namespace stompbox::client

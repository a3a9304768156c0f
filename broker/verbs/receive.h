#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "broker/verbs/login.h"
#include "broker/verbs/terminal.h"
#include "protocol/frame.h"

namespace stompbox::verbs {

enum class MessageOutput : std::uint8_t { kBody, kHeadersAndBody, kJson };

struct ReceiveOptions {
  Login login;
  std::string source;                                // a destination
  std::size_t count = 1;                             // 0: no end
  std::optional<std::chrono::milliseconds> timeout;  // for the next message; nothing: for ever
  std::string ack = "individual";                    // auto, client, individual
  MessageOutput output = MessageOutput::kBody;
};

// Prints messages and acknowledges each when it is printed. Without the wanted count in time:
// kFailed.
[[nodiscard]] Exit receive(const ReceiveOptions& options);

[[nodiscard]] std::string show_message(const protocol::Frame& message, MessageOutput output);

}  // namespace stompbox::verbs

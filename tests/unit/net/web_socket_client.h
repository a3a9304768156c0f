#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker/net/web_socket_frames.h"

// The other side of a WebSocket, for tests.
namespace stompbox::net::testing {

// A frame as clients send it.
inline std::string masked(Opcode opcode, const std::string& payload,
                          Fragment fragment = Fragment::kLast) {
  constexpr std::uint8_t kMask[] = {0x37, 0xfa, 0x21, 0x3d};
  std::string frame;
  append_frame_head(frame, opcode, fragment, payload.size());
  frame[1] = static_cast<char>(static_cast<std::uint8_t>(frame[1]) | 0x80U);
  for (const std::uint8_t byte : kMask)
    frame += static_cast<char>(byte);
  for (std::size_t i = 0; i < payload.size(); ++i)
    frame += static_cast<char>(static_cast<std::uint8_t>(payload[i]) ^ kMask[i % 4]);
  return frame;
}

struct Message {
  Opcode opcode = Opcode::kText;
  std::string payload;
  std::size_t fragments = 1;
};

// The messages in a server's bytes, fragments joined; control frames may stand between them.
// Nothing: it is not well formed.
inline std::optional<std::vector<Message>> messages_of(const std::string& bytes) {
  std::vector<Message> messages;
  std::optional<Message> begun;
  std::size_t at = 0;
  const auto byte = [&bytes](std::size_t i) { return static_cast<std::uint8_t>(bytes.at(i)); };
  while (at + 2 <= bytes.size()) {
    const bool last = (byte(at) & 0x80U) != 0;
    const auto opcode = static_cast<Opcode>(byte(at) & 0x0fU);
    std::size_t size = byte(at + 1);
    std::size_t head = 2;
    if (size >= 126) {
      const std::size_t longer = size == 126 ? 2 : 8;
      size = 0;
      for (std::size_t i = 0; i < longer; ++i)
        size = size << 8 | byte(at + 2 + i);
      head += longer;
    }
    if (at + head + size > bytes.size()) return std::nullopt;
    const std::string payload = bytes.substr(at + head, size);
    at += head + size;
    if (static_cast<std::uint8_t>(opcode) >= 8) {
      messages.push_back({opcode, payload, 1});
      continue;
    }
    if ((opcode == Opcode::kContinuation) != begun.has_value()) return std::nullopt;
    if (begun) {
      begun->payload += payload;
      ++begun->fragments;
    } else {
      begun = Message{opcode, payload, 1};
    }
    if (!last) continue;
    messages.push_back(*begun);
    begun.reset();
  }
  if (begun || at != bytes.size()) return std::nullopt;
  return messages;
}

inline std::string upgrade_request(const std::string& fields = "") {
  return "GET /stomp HTTP/1.1\r\nHost: broker.example:61614\r\nUpgrade: websocket\r\n"
         "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         fields + "\r\n";
}

}  // namespace stompbox::net::testing

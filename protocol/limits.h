#pragma once

#include <cstddef>

namespace stompbox::protocol {

// What one peer may make us hold (facts L1 to L3). Exceeding any is a ProtocolError.
struct DecodeLimits {
  std::size_t command_bytes_max = 32;
  std::size_t header_count_max = 1000;
  std::size_t header_line_bytes_max = 10 * 1024;
  std::size_t headers_bytes_max = 256 * 1024;
  std::size_t body_bytes_max = 100 * 1024 * 1024;
  // The whole of a frame before the peer is let in; it may grow after login (fact L2).
  std::size_t frame_bytes_max_before_login = 64 * 1024;
};

}  // namespace stompbox::protocol

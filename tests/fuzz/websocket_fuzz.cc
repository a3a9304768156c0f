// A WebSocket listener's bytes, HTTP head and frames, against arbitrary input: the same bytes for
// the session and the same end however they are cut, and no more out than came in.
//
//   byte 0: whether the handshake is done already; byte 1: piece seed; bytes 2..: what the peer
//   sends
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "broker/net/web_socket.h"

namespace {

using stompbox::net::WebSocket;

constexpr std::string_view kHandshake =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

struct Outcome {
  std::string bytes;
  std::string replies;
  WebSocket::End end = WebSocket::End::kNone;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

void require(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << "\n";
  std::abort();
}

template <typename PieceBytes>
Outcome run(std::string_view sent, const PieceBytes& piece_bytes) {
  const std::vector<std::string> origins;
  WebSocket socket(origins);
  Outcome outcome;
  while (!sent.empty() && outcome.end == WebSocket::End::kNone) {
    std::string piece(sent.substr(0, piece_bytes()));
    sent.remove_prefix(piece.size());
    const auto taken = socket.take({piece.data(), piece.size()}, outcome.replies);
    require(taken.bytes.size() <= piece.size(), "no more comes out than went in");
    outcome.bytes.append(taken.bytes.data(), taken.bytes.size());
    outcome.end = taken.end;
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::string sent((data[0] & 1) != 0 ? kHandshake : "");
  sent.append(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::uint32_t seed = data[1];
  const auto some = [&seed] {
    seed = seed * 1664525 + 1013904223;
    return std::size_t{1} + (seed >> 24) % 37;
  };
  const Outcome one = run(sent, [] { return std::size_t{1}; });
  const Outcome pieces = run(sent, some);
  require(one.end == pieces.end, "the same end in pieces");
  // A text that goes wrong may have given away the good bytes before the fault, or not.
  if (one.end != WebSocket::End::kFault) require(one == pieces, "the same bytes in pieces");
  return 0;
}

// The decoder against arbitrary bytes: the same events however they are cut, bounded memory, and
// what was decoded comes back after encoding.
//
//   byte 0          byte 1               bytes 2..
//   ┌─┬─┬─┬─┬─┬─┬───┐ ┌───────────────┐ ┌─────────────────────
//   │ │ │ │L│E│S│ V │ │ piece seed    │ │ what the peer sends
//   └─┴─┴─┴─┴─┴─┴───┘ └───────────────┘ └─────────────────────
//   V version after CONNECT, S client's side, E keep undefined escapes, L small limits
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/decoder.h"
#include "protocol/encoder.h"

namespace {

using namespace stompbox::protocol;

struct Peer {
  Version version = Version::k12;
  Side side = Side::kServer;
  UnknownEscapes unknown_escapes = UnknownEscapes::kRefuse;
  DecodeLimits limits{};
};

void require(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << "\n";
  std::abort();
}

Peer peer_of(std::uint8_t byte) {
  Peer peer;
  peer.version = static_cast<Version>(std::min(byte & 3, 2));
  if ((byte & 4) != 0) peer.side = Side::kClient;
  if ((byte & 8) != 0) peer.unknown_escapes = UnknownEscapes::kKeep;
  if ((byte & 16) != 0) {
    peer.limits = {.command_bytes_max = 12,
                   .header_count_max = 4,
                   .header_line_bytes_max = 24,
                   .headers_bytes_max = 48,
                   .body_bytes_max = 32,
                   .frame_bytes_max_before_login = 64};
  }
  return peer;
}

// Plays a session: the version and the login count from the first login frame on. `piece_bytes`
// gives the size of each next piece.
template <typename PieceBytes>
std::vector<DecodeEvent> decode(const Peer& peer, std::string_view bytes,
                                const PieceBytes& piece_bytes) {
  FrameDecoder decoder(peer.limits, peer.side);
  decoder.set_unknown_escapes(peer.unknown_escapes);
  std::vector<DecodeEvent> events;
  std::size_t fed = 0;
  while (fed < bytes.size()) {
    const std::string piece(bytes.substr(fed, piece_bytes()));
    fed += piece.size();
    decoder.feed(piece);
    while (std::optional<DecodeEvent> event = decoder.next()) {
      events.push_back(std::move(*event));
      const auto* const frame = std::get_if<Frame>(&events.back());
      if (frame == nullptr) return events;
      if (is_login(frame->command)) {
        decoder.set_version(peer.version);
        decoder.let_in();
      }
    }
    require(decoder.held_bytes() <= fed, "no more is held than was fed");
  }
  return events;
}

Headers without_content_length(const Headers& headers) {
  Headers others;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto [name, value] = headers.at(i);
    if (name != "content-length") others.add(name, value);
  }
  return others;
}

// 1.0 cannot express everything that other versions and stray CRs bring in.
void check_round_trip(const Peer& peer, const Frame& frame) {
  if (peer.version == Version::k10 || is_login(frame.command)) return;
  if (peer.limits.header_count_max != DecodeLimits{}.header_count_max) return;
  std::string bytes;
  append_frame(bytes, peer.version, frame);
  FrameDecoder decoder(peer.limits, peer.side);
  decoder.set_version(peer.version);
  decoder.let_in();
  decoder.feed(bytes);
  const std::optional<DecodeEvent> event = decoder.next();
  require(event && std::holds_alternative<Frame>(*event), "an encoded frame is read");
  const Frame& again = std::get<Frame>(*event);
  require(again.command == frame.command && again.body == frame.body &&
              without_content_length(again.headers) == without_content_length(frame.headers),
          "an encoded frame is read the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Peer peer = peer_of(data[0]);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::uint32_t seed = data[1];
  const auto all = [&bytes] { return bytes.size(); };
  const auto one = [] { return std::size_t{1}; };
  const auto some = [&seed] {
    seed = seed * 1664525 + 1013904223;
    return std::size_t{1} + (seed >> 24) % 37;
  };
  const std::vector<DecodeEvent> events = decode(peer, bytes, all);
  require(decode(peer, bytes, one) == events, "the same events byte by byte");
  require(decode(peer, bytes, some) == events, "the same events in pieces");
  bool logged_in = false;
  for (const DecodeEvent& event : events) {
    const auto* const frame = std::get_if<Frame>(&event);
    if (frame == nullptr) continue;
    if (logged_in) check_round_trip(peer, *frame);
    logged_in = logged_in || is_login(frame->command);
  }
  return 0;
}

#include "tests/unit/protocol/decoding.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

namespace stompbox::protocol {

Events decode_pieces(std::string_view bytes, const Stance& stance, std::size_t first,
                     std::size_t rest) {
  FrameDecoder decoder(stance.limits, stance.side);
  decoder.set_version(stance.version);
  decoder.set_unknown_escapes(stance.unknown_escapes);
  if (stance.let_in) decoder.let_in();
  Events events;
  for (std::size_t at = 0, count = first; at < bytes.size(); at += count, count = rest) {
    // A copy of just the piece, gone after the round: a sanitizer sees whoever looks beyond it.
    const std::string piece(bytes.substr(at, count));
    decoder.feed(piece);
    while (std::optional<DecodeEvent> event = decoder.next()) {
      events.push_back(std::move(*event));
      if (std::holds_alternative<ProtocolError>(events.back())) return events;
    }
  }
  return events;
}

Events decode(std::string_view bytes, const Stance& stance) {
  const Events whole = decode_pieces(bytes, stance, bytes.size(), 1);
  CHECK(decode_pieces(bytes, stance, 1, 1) == whole);
  const std::size_t step = std::max<std::size_t>(1, bytes.size() / 2000);
  for (std::size_t cut = 1; cut < bytes.size(); cut += step) {
    const bool same = decode_pieces(bytes, stance, cut, bytes.size()) == whole;
    if (!same) FAIL_CHECK("other events when cut at byte " << cut);
  }
  return whole;
}

Frame decode_frame(std::string_view bytes, const Stance& stance) {
  const Events events = decode(bytes, stance);
  REQUIRE(events.size() == 1);
  if (const auto* error = std::get_if<ProtocolError>(&events[0])) FAIL(error->detail);
  return std::get<Frame>(events[0]);
}

ProtocolError decode_error(std::string_view bytes, const Stance& stance) {
  const Events events = decode(bytes, stance);
  REQUIRE(!events.empty());
  REQUIRE(std::holds_alternative<ProtocolError>(events.back()));
  return std::get<ProtocolError>(events.back());
}

ProtocolErrorKind error_kind(std::string_view bytes, const Stance& stance) {
  return decode_error(bytes, stance).kind;
}

std::string to_text(const Headers& headers) {
  std::string text;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto [name, value] = headers.at(i);
    text.append(name).append("=").append(value).append(";");
  }
  return text;
}

std::string decode_headers(std::string_view bytes, const Stance& stance) {
  return to_text(decode_frame(bytes, stance).headers);
}

}  // namespace stompbox::protocol

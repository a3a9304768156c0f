#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/decoder.h"

// Bytes in, events out, for the tests of this room.
namespace stompbox::protocol {

using Events = std::vector<DecodeEvent>;

// How the decoder stands when the bytes come: after login unless said otherwise.
struct Stance {
  Version version = Version::k12;
  Side side = Side::kServer;
  UnknownEscapes unknown_escapes = UnknownEscapes::kRefuse;
  bool let_in = true;
  DecodeLimits limits{};
};

inline constexpr Stance k10{.version = Version::k10};
inline constexpr Stance k11{.version = Version::k11};
inline constexpr Stance k12{.version = Version::k12};
inline constexpr Stance kEvery[] = {k10, k11, k12};

// Feeds pieces of so many bytes, after a first one of its own size. Stops at the first error.
Events decode_pieces(std::string_view bytes, const Stance& stance, std::size_t first,
                     std::size_t rest);

// The events of the bytes; checks that they are the same however the bytes are cut.
Events decode(std::string_view bytes, const Stance& stance = k12);

// The one frame that the bytes are.
Frame decode_frame(std::string_view bytes, const Stance& stance = k12);

// The error that the bytes end in, and its kind.
ProtocolError decode_error(std::string_view bytes, const Stance& stance = k12);
ProtocolErrorKind error_kind(std::string_view bytes, const Stance& stance = k12);

// "name=value;" of each header; the same of the one frame that the bytes are.
std::string to_text(const Headers& headers);
std::string decode_headers(std::string_view bytes, const Stance& stance = k12);

}  // namespace stompbox::protocol

#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace stompbox::access {

using DigestKey = std::array<std::uint8_t, 16>;

struct Digest {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend auto operator<=>(const Digest&, const Digest&) = default;
};

// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012): without the key nobody can
// find a text with a given digest better than by guessing.
[[nodiscard]] Digest keyed_digest(const DigestKey& key, std::string_view text);

}  // namespace stompbox::access

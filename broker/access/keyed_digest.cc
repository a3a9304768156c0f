#include "broker/access/keyed_digest.h"

#include <bit>

namespace stompbox::access {
namespace {

// Little-endian, up to eight bytes.
std::uint64_t word_at(const unsigned char* bytes, std::size_t count) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < count; ++i)
    word |= std::uint64_t{bytes[i]} << (8 * i);
  return word;
}

struct Lanes {
  std::uint64_t a, b, c, d;

  void mix(unsigned rounds) {
    for (; rounds > 0; --rounds) {
      a += b;
      b = std::rotl(b, 13) ^ a;
      a = std::rotl(a, 32);
      c += d;
      d = std::rotl(d, 16) ^ c;
      a += d;
      d = std::rotl(d, 21) ^ a;
      c += b;
      b = std::rotl(b, 17) ^ c;
      c = std::rotl(c, 32);
    }
  }
  void absorb(std::uint64_t word) {
    d ^= word;
    mix(2);
    a ^= word;
  }
  [[nodiscard]] std::uint64_t folded() const { return a ^ b ^ c ^ d; }
};

Lanes begin(const DigestKey& key) {
  const std::uint64_t low = word_at(key.data(), 8);
  const std::uint64_t high = word_at(key.data() + 8, 8);
  return {low ^ 0x736f6d6570736575, high ^ 0x646f72616e646f6d ^ 0xee, low ^ 0x6c7967656e657261,
          high ^ 0x7465646279746573};
}

}  // namespace

Digest keyed_digest(const DigestKey& key, std::string_view text) {
  Lanes lanes = begin(key);
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, bytes += 8)
    lanes.absorb(word_at(bytes, 8));
  lanes.absorb(word_at(bytes, left) | std::uint64_t{text.size() & 0xff} << 56);
  Digest digest;
  lanes.c ^= 0xee;
  lanes.mix(4);
  digest.low = lanes.folded();
  lanes.b ^= 0xdd;
  lanes.mix(4);
  digest.high = lanes.folded();
  return digest;
}

}  // namespace stompbox::access

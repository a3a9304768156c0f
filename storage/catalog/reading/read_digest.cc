#include "storage/catalog/reading/read_digest.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace stompbox::catalog::reading {
namespace {

__extension__ using Wide = unsigned __int128;

// Odd constants with bits all over; a pair for each lane.
constexpr std::uint64_t kLeft1 = 0x9E6C63D0876A9A47;
constexpr std::uint64_t kLeft2 = 0xD1B54A32D192ED03;
constexpr std::uint64_t kRight1 = 0x8CB92BA72F3D8DD7;
constexpr std::uint64_t kRight2 = 0xE7037ED1A0B428DB;

// What changes with the rules of this room: rows of an older reader are compared anew.
constexpr std::uint64_t kReaderVersion = 1;

std::uint64_t multiply_fold(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t word_at(std::string_view bytes, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + at, sizeof word);
  return word;
}

}  // namespace

// The old state stays in beside the product, which can be zero.
void ReadDigest::fold(std::uint64_t first, std::uint64_t second) {
  left_ = std::rotl(left_, 29) + multiply_fold(first ^ left_ ^ kLeft1, second ^ kLeft2);
  right_ = std::rotl(right_, 37) + multiply_fold(second ^ right_ ^ kRight1, first ^ kRight2);
}

void ReadDigest::add(std::string_view bytes) {
  constexpr std::size_t kBlock = 16;
  fold(bytes.size(), kRight1);
  std::size_t at = 0;
  for (; at + kBlock <= bytes.size(); at += kBlock) {
    fold(word_at(bytes, at), word_at(bytes, at + 8));
  }
  if (at == bytes.size()) return;
  char rest[kBlock] = {};
  std::memcpy(rest, bytes.data() + at, bytes.size() - at);
  const std::string_view padded(rest, kBlock);
  fold(word_at(padded, 0), word_at(padded, 8));
}

void ReadDigest::add(std::uint64_t number) {
  fold(number, kLeft1);
}

std::string ReadDigest::bytes() const {
  ReadDigest last = *this;
  last.fold(right_, left_);
  last.fold(last.left_, last.right_);
  std::string out(sizeof left_ + sizeof right_, '\0');
  std::memcpy(out.data(), &last.left_, sizeof left_);
  std::memcpy(out.data() + sizeof left_, &last.right_, sizeof right_);
  return out;
}

std::string catalog_digest(const ReadOptions& options, std::string_view node,
                           std::string_view environment, std::string_view resources) {
  ReadDigest digest;
  digest.add(kReaderVersion);
  digest.add(static_cast<std::uint64_t>(options.byte_policy));
  digest.add(std::uint64_t{options.store_sensitive ? 1U : 0U});
  digest.add(node);
  digest.add(environment);
  digest.add(resources);
  return digest.bytes();
}

}  // namespace stompbox::catalog::reading

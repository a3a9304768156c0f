#include "broker/net/utf8_check.h"

#include <cstddef>
#include <cstring>

namespace stompbox::net {
namespace {

// How many bytes from the front are ASCII, eight at a time.
std::size_t ascii_prefix(std::string_view bytes) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  while (at < bytes.size() && static_cast<unsigned char>(bytes[at]) < 0x80)
    ++at;
  return at;
}

}  // namespace

bool Utf8Check::take(std::string_view bytes) {
  std::size_t at = 0;
  while (good_ && at < bytes.size()) {
    if (missing_ == 0) at += ascii_prefix(bytes.substr(at));
    if (at == bytes.size()) break;
    const auto byte = static_cast<std::uint8_t>(bytes[at++]);
    if (missing_ > 0) {
      good_ = byte >= low_ && byte <= high_;
      --missing_;
      low_ = 0x80;
      high_ = 0xbf;
    } else if (byte >= 0xc2 && byte <= 0xdf) {
      missing_ = 1;
    } else if (byte >= 0xe0 && byte <= 0xef) {
      missing_ = 2;
      if (byte == 0xe0) low_ = 0xa0;   // shorter forms
      if (byte == 0xed) high_ = 0x9f;  // surrogates
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      missing_ = 3;
      if (byte == 0xf0) low_ = 0x90;
      if (byte == 0xf4) high_ = 0x8f;  // beyond U+10FFFF
    } else {
      good_ = false;
    }
  }
  return good_;
}

bool is_utf8(std::string_view text) {
  Utf8Check check;
  return check.take(text) && check.is_whole();
}

}  // namespace stompbox::net

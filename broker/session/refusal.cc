#include "broker/session/refusal.h"

#include <algorithm>
#include <cstddef>

namespace stompbox::session {
namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kShownBytes = 80;
  std::size_t size = std::min(text.size(), kShownBytes);
  // Not in the middle of a character of UTF-8.
  while (size < text.size() && size > 0 && is_continuation(text[size]))
    --size;
  return '"' + printable(text.substr(0, size)) + (size < text.size() ? "...\"" : "\"");
}

}  // namespace stompbox::session

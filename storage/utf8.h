#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace stompbox::storage {

// The bytes of the front that are valid UTF-8 (no surrogates, nothing overlong, up to U+10FFFF).
[[nodiscard]] std::size_t utf8_prefix(std::string_view bytes);

[[nodiscard]] inline bool is_utf8(std::string_view bytes) {
  return utf8_prefix(bytes) == bytes.size();
}

// The front of a text, at most so many bytes, that does not end within a character.
[[nodiscard]] inline std::string_view whole_characters(std::string_view text,
                                                       std::size_t bytes_max) {
  std::size_t size = std::min(text.size(), bytes_max);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
    --size;
  return text.substr(0, size);
}

}  // namespace stompbox::storage

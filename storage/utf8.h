#pragma once

#include <cstddef>
#include <string_view>

namespace stompbox::storage {

// The bytes of the front that are valid UTF-8 (no surrogates, nothing overlong, up to U+10FFFF).
[[nodiscard]] std::size_t utf8_prefix(std::string_view bytes);

[[nodiscard]] inline bool is_utf8(std::string_view bytes) {
  return utf8_prefix(bytes) == bytes.size();
}

}  // namespace stompbox::storage

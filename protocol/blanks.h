#pragma once

#include <string_view>

namespace stompbox::protocol {

// Blanks as 1.0 peers pad with (fact A9), and the CR of a line end that they trim with them.
[[nodiscard]] inline bool is_blank(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\r';
}

// `text` without the blanks at its ends.
[[nodiscard]] inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  return text;
}

}  // namespace stompbox::protocol

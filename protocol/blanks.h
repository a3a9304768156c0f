#pragma once

#include <string_view>

namespace stompbox::protocol {

// Blanks as 1.0 peers pad with (fact A9), and the CR of a line end that they trim with them.
inline constexpr std::string_view kBlanks = " \t\r";

// `text` without the blanks at its ends.
[[nodiscard]] inline std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

}  // namespace stompbox::protocol

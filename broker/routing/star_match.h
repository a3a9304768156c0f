#pragma once

#include <cstddef>

namespace stompbox::routing {

// Whether a text fits a pattern of which some elements (stars) stand for any run of units, an empty
// run included, and each other element for one unit. Goes back to the last star only, which is
// enough: the time is at most the product of the two lengths, however many stars there are.
//
// `text` is a cursor: at_end() and advance(), by one unit. is_star(i) asks about an element of the
// pattern, fits(i, text) whether a plain element takes the unit at the cursor.
template <typename Cursor, typename IsStar, typename Fits>
[[nodiscard]] bool star_match(std::size_t element_count, const IsStar& is_star, Cursor text,
                              const Fits& fits) {
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t element = 0;
  std::size_t after_star = kNone;
  Cursor retry = text;
  while (!text.at_end()) {
    if (element < element_count && is_star(element)) {
      after_star = ++element;
      retry = text;
    } else if (element < element_count && fits(element, text)) {
      ++element;
      text.advance();
    } else if (after_star != kNone) {
      element = after_star;
      retry.advance();
      text = retry;
    } else {
      return false;
    }
  }
  while (element < element_count && is_star(element))
    ++element;
  return element == element_count;
}

}  // namespace stompbox::routing

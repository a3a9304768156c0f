#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stompbox::catalog::reading {

// A number that PSON allows and our parser does not (beyond a double): a 0 and blanks stand for it.
struct OddNumber {
  std::size_t offset = 0;  // in the mended text
  std::string_view text;   // in the original
};

// A text in which what PSON allows beyond JSON (facts 2.4) is JSON: comments are blanks, unknown
// escapes lose their backslash, lone surrogates are U+FFFD, odd numbers are zeros with a note.
struct MendedPson {
  std::string text;
  std::vector<OddNumber> numbers;    // by offset
  std::vector<std::size_t> dropped;  // where in `text` a byte of the original is missing, sorted
  bool changed = false;

  [[nodiscard]] std::size_t original_offset(std::size_t offset) const;
  // The original digits if the number at that offset is an odd one, else empty.
  [[nodiscard]] std::string_view odd_number(std::size_t offset) const;
  // From `begin` up to `end` of the mended text.
  [[nodiscard]] std::span<const OddNumber> odd_numbers(std::size_t begin, std::size_t end) const;
};

// Never fails: what it does not understand it leaves as it is, for the parser to refuse. `text`
// must outlive the result.
[[nodiscard]] MendedPson mend_pson(std::string_view text);

}  // namespace stompbox::catalog::reading

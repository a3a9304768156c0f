#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stompbox::routing {

// LIKE: `_` stands for one character (of UTF-8), `%` for any number of them; after the escape
// character any character is itself.
class LikePattern {
 public:
  // Nothing if the pattern ends with the escape character. `escape`: one character, or empty.
  [[nodiscard]] static std::optional<LikePattern> make(std::string_view pattern,
                                                       std::string_view escape);

  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  enum class Kind : std::uint8_t { kCharacter, kOne, kMany };
  struct Element {
    Kind kind = Kind::kCharacter;
    std::string character;
  };
  std::vector<Element> elements_;
};

// The first character of `text`: a byte and the continuation bytes after it. Not empty unless the
// text is.
[[nodiscard]] std::string_view first_character(std::string_view text);

}  // namespace stompbox::routing

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/result.h"

namespace stompbox::access {

// What stands for %u and %c. Views live for the call. A template that asks for an empty one fits
// nothing.
struct Substitutes {
  std::string_view user;
  std::string_view certificate;
};

enum class PartKind : std::uint8_t {
  kText,         // these letters; what a name brings in is always this, whatever its letters are
  kAny,          // *: any letters, none included
  kNumber,       // %d: one decimal digit or more
  kUser,         // %u
  kCertificate,  // %c
};

struct Part {
  PartKind kind = PartKind::kText;
  std::string text;  // of kText

  friend bool operator==(const Part&, const Part&) = default;
};

// The same with names filled in: kText, kAny and kNumber only.
struct FilledPart {
  PartKind kind = PartKind::kText;
  std::string_view text;
};

// What is filled in for a part; `part` itself if it is neither %u nor %c.
[[nodiscard]] FilledPart fill(const Part& part, const Substitutes& substitutes);

// Whether the whole text is what the parts stand for. Takes time in proportion to both lengths at
// most: `text` comes from peers.
[[nodiscard]] bool fits(std::span<const FilledPart> parts, std::string_view text);

// `*`, `%u`, `%c`, `%d` and `%%`, anything else is a letter. kInvalid with the end of a sentence.
// `%d` cannot stand before a digit or a name, since nobody could tell where the number ends.
[[nodiscard]] storage::Result<std::vector<Part>> parse_parts(std::string_view text);

// A text with stars and names in it: of a header's value, a certificate's name.
class TextTemplate {
 public:
  [[nodiscard]] static storage::Result<TextTemplate> parse(std::string_view text);
  // Here `*` is a letter like any other: for the value of a selector.
  [[nodiscard]] static storage::Result<TextTemplate> parse_exact(std::string_view text);

  [[nodiscard]] bool fits(std::string_view text, const Substitutes& substitutes) const;

 private:
  std::vector<Part> parts_;
};

}  // namespace stompbox::access

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/reading/read_catalog.h"

namespace stompbox::catalog::reading {

// What a text contains at all; lets most strings be taken without a look.
struct PsonTraits {
  bool foreign_bytes = false;      // it is not UTF-8
  bool surrogate_escapes = false;  // any \uD..., which may be half a pair
  bool ascii_escapes = false;      // any \u00..., which may be NUL or hide a character
  bool yaml_marks = false;         // any "--- "
};

[[nodiscard]] PsonTraits find_traits(std::string_view text);

// Every byte as the character of that number.
[[nodiscard]] std::string latin1_to_utf8(std::string_view bytes);

// Strings of one message as text to store, by the byte policy; each string by itself.
class PsonText {
 public:
  explicit PsonText(BytePolicy policy) : policy_(policy) {}

  // Forgets what was counted and seen.
  void restart();
  // Strings of a text with these traits will follow, beside those of earlier texts.
  void expect(const PsonTraits& traits);
  // False: no string of the message needs to be quoted for readers of YAML (needs_yaml).
  [[nodiscard]] bool may_need_yaml() const { return seen_.yaml_marks || seen_.ascii_escapes; }

  // For values: a NUL stays.
  [[nodiscard]] std::string value(std::string_view bytes) {
    const bool plain = !seen_.foreign_bytes && !seen_.surrogate_escapes;
    return plain ? std::string(bytes) : checked(bytes);
  }
  // For names, titles and the like, which no escape can carry: a NUL becomes U+FFFD.
  [[nodiscard]] std::string name(std::string_view bytes);

  // One sentence for each kind of mending that there was.
  [[nodiscard]] std::vector<std::string> findings() const;

 private:
  std::string checked(std::string_view bytes);
  std::string mend_surrogates(std::string_view bytes);
  std::string mend_bytes(std::string_view bytes);

  const BytePolicy policy_;
  PsonTraits seen_;
  std::size_t foreign_count_ = 0;    // strings that were not UTF-8
  std::size_t surrogate_count_ = 0;  // strings with surrogates
  std::size_t nul_count_ = 0;        // names with a NUL
};

}  // namespace stompbox::catalog::reading

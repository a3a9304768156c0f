#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stompbox::routing {

// A name with wildcards. Segments are separated by `.`; `*` is one segment; `>`, at the end, is the
// rest (one segment or more, ActiveMQ); `**` and `#` are any number of segments, none included
// (Apollo, RabbitMQ). A `*` within a segment stands for any letters of that segment (`foo*`).
// Elsewhere these signs are letters. Immutable. The time of a match grows with the product of the
// lengths at worst, whatever the number of wildcards.
class Pattern {
 public:
  explicit Pattern(std::string_view text);

  [[nodiscard]] bool matches(std::string_view name) const;
  // Whether every name that `other` matches is matched by this one: a rule is judged so against a
  // wildcard subscription (fact mcollective 2.3). May say false where it is not sure.
  [[nodiscard]] bool covers(const Pattern& other) const;
  [[nodiscard]] bool is_literal() const { return literal_; }
  [[nodiscard]] const std::string& text() const { return text_; }

  [[nodiscard]] static bool has_wildcard(std::string_view text);

 private:
  enum class Kind : std::uint8_t {
    kLiteral,
    kGlob,  // one segment, with `*` in it; `*` alone, too
    kAny,   // any number of segments
  };
  struct Segment {
    Kind kind = Kind::kLiteral;
    std::string text;
  };

  void add(std::string_view segment, bool is_last);
  [[nodiscard]] std::size_t segments_min() const;  // that a name needs
  [[nodiscard]] static bool fits(const Segment& pattern, std::string_view segment);

  std::string text_;
  std::vector<Segment> segments_;  // `>` is two of them: `*` and kAny
  bool literal_ = true;
  std::size_t rest_from_ = 0;  // the `*` of a final `>` if that has the only kAny; else the end
};

}  // namespace stompbox::routing

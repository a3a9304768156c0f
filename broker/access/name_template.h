#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "broker/access/text_template.h"
#include "storage/result.h"

namespace stompbox::access {

// What a peer names: one name, or with wildcards all that they match (broker/routing/pattern.h).
enum class Naming { kOne, kPattern };

// The name in a rule's destination: wildcards as in broker/routing/pattern.h (`*` in or for a
// segment, `>` at the end, `**` and `#`), `%u`, `%c` and `%d`. A name that is filled in counts
// letter by letter: its dots part segments, and its stars and signs match nothing but themselves.
class NameTemplate {
 public:
  [[nodiscard]] static storage::Result<NameTemplate> parse(std::string_view text);

  // Whether all that is named is matched: what a rule that allows has to say (fact mcollective
  // 2.3). May say false of two patterns where it is not sure.
  [[nodiscard]] bool covers(std::string_view name, Naming naming,
                            const Substitutes& substitutes) const;
  // Whether any of it is: what a rule that denies looks for. May say true where it is not sure.
  [[nodiscard]] bool overlaps(std::string_view name, Naming naming,
                              const Substitutes& substitutes) const;

 private:
  struct Segment {
    bool any_number = false;  // stands for any number of segments
    std::vector<Part> parts;
  };
  struct Filled;

  [[nodiscard]] std::optional<Filled> fill_in(const Substitutes& substitutes) const;

  std::vector<Segment> segments_;
};

}  // namespace stompbox::access

#include "broker/routing/pattern.h"

#include <algorithm>

#include "broker/routing/star_match.h"

namespace stompbox::routing {
namespace {

constexpr char kSeparator = '.';
constexpr std::string_view kOne = "*";

bool is_any(std::string_view segment) {
  return segment == "**" || segment == "#";
}

bool is_rest(std::string_view segment, bool is_last) {
  return is_last && segment == ">";
}

// Takes the first segment off `rest`; the separator goes with it.
std::string_view take_segment(std::string_view& rest, bool& is_last) {
  const std::size_t end = rest.find(kSeparator);
  is_last = end == std::string_view::npos;
  const std::string_view segment = rest.substr(0, end);
  rest.remove_prefix(is_last ? rest.size() : end + 1);
  return segment;
}

class Letters {
 public:
  explicit Letters(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  void advance() { rest_.remove_prefix(1); }
  [[nodiscard]] char letter() const { return rest_.front(); }

 private:
  std::string_view rest_;
};

// A `*` of `text` is a letter that only a `*` of the glob takes: so it also says whether one glob
// covers another.
bool glob_fits(std::string_view glob, std::string_view text) {
  return star_match(
      glob.size(), [glob](std::size_t i) { return glob[i] == '*'; }, Letters(text),
      [glob](std::size_t i, const Letters& at) { return glob[i] == at.letter(); });
}

class NameSegments {
 public:
  explicit NameSegments(std::string_view name) : rest_(name) { advance(); }
  [[nodiscard]] bool at_end() const { return at_end_; }
  void advance() {
    at_end_ = was_last_;
    if (!at_end_) segment_ = take_segment(rest_, was_last_);
  }
  [[nodiscard]] std::string_view segment() const { return segment_; }

 private:
  std::string_view rest_;
  std::string_view segment_;
  bool was_last_ = false;
  bool at_end_ = false;
};

}  // namespace

Pattern::Pattern(std::string_view text) : text_(text), literal_(!has_wildcard(text)) {
  bool is_last = false;
  for (std::string_view rest = text; !is_last;) {
    const std::string_view segment = take_segment(rest, is_last);
    add(segment, is_last);
  }
  // A name has one segment at least, so `**` alone is the same as `>`.
  const auto any = [](const Segment& segment) { return segment.kind == Kind::kAny; };
  if (std::all_of(segments_.begin(), segments_.end(), any))
    segments_ = {{Kind::kGlob, std::string(kOne)}, {Kind::kAny, {}}};
  const std::size_t count = segments_.size();
  const bool has_rest =
      segments_min() + 1 == count && any(segments_.back()) && segments_[count - 2].text == kOne;
  rest_from_ = has_rest ? count - 2 : count;
}

void Pattern::add(std::string_view segment, bool is_last) {
  if (is_any(segment)) {
    segments_.push_back({Kind::kAny, {}});
  } else if (is_rest(segment, is_last)) {
    segments_.push_back({Kind::kGlob, std::string(kOne)});
    segments_.push_back({Kind::kAny, {}});
  } else {
    const bool is_glob = segment.find('*') != std::string_view::npos;
    segments_.push_back({is_glob ? Kind::kGlob : Kind::kLiteral, std::string(segment)});
  }
}

bool Pattern::fits(const Segment& pattern, std::string_view segment) {
  if (pattern.kind == Kind::kLiteral) return pattern.text == segment;
  return pattern.text == kOne || glob_fits(pattern.text, segment);
}

bool Pattern::matches(std::string_view name) const {
  if (literal_) return name == text_;
  return star_match(
      segments_.size(), [this](std::size_t i) { return segments_[i].kind == Kind::kAny; },
      NameSegments(name),
      [this](std::size_t i, const NameSegments& at) { return fits(segments_[i], at.segment()); });
}

bool Pattern::covers(const Pattern& other) const {
  struct Segments {
    const std::vector<Segment>* all;
    std::size_t i = 0;
    [[nodiscard]] bool at_end() const { return i == all->size(); }
    void advance() { ++i; }
  };
  // `a.b.>` is whatever begins with a.b and is long enough.
  const bool has_rest = rest_from_ < segments_.size();
  if (has_rest && other.segments_min() < segments_min()) return false;
  // What stands for any number of segments there is only taken by what does so here.
  return star_match(
      segments_.size(),
      [this](std::size_t i) { return segments_[i].kind == Kind::kAny || i >= rest_from_; },
      Segments{&other.segments_},
      [this](std::size_t i, const Segments& at) {
        const Segment& theirs = (*at.all)[at.i];
        return theirs.kind != Kind::kAny && fits(segments_[i], theirs.text);
      });
}

std::size_t Pattern::segments_min() const {
  return static_cast<std::size_t>(
      std::count_if(segments_.begin(), segments_.end(),
                    [](const Segment& segment) { return segment.kind != Kind::kAny; }));
}

bool Pattern::has_wildcard(std::string_view text) {
  bool is_last = false;
  while (!is_last) {
    const std::string_view segment = take_segment(text, is_last);
    if (is_any(segment) || is_rest(segment, is_last)) return true;
    if (segment.find('*') != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace stompbox::routing

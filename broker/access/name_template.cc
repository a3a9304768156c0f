#include "broker/access/name_template.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "broker/routing/star_match.h"

namespace stompbox::access {
namespace {

using storage::Error;
using storage::ErrorCode;

constexpr char kSeparator = '.';

std::vector<std::string_view> split(std::string_view name) {
  std::vector<std::string_view> segments;
  for (;;) {
    const std::size_t end = name.find(kSeparator);
    segments.push_back(name.substr(0, end));
    if (end == std::string_view::npos) return segments;
    name.remove_prefix(end + 1);
  }
}

bool is_any_number(std::string_view segment) {
  return segment == "**" || segment == "#";
}

// One segment of what a peer named.
struct Named {
  bool any_number = false;
  bool has_star = false;
  std::string_view text;
};

std::vector<Named> segments_of(std::string_view name, Naming naming) {
  std::vector<Named> named;
  for (const std::string_view segment : split(name)) {
    const bool wild = naming == Naming::kPattern;
    if (wild && is_any_number(segment)) {
      named.push_back({true, false, {}});
    } else if (wild && segment == ">") {
      named.push_back({false, true, "*"});
      named.push_back({true, false, {}});
    } else {
      named.push_back({false, wild && segment.find('*') != std::string_view::npos, segment});
    }
  }
  return named;
}

bool is_lone_star(std::span<const FilledPart> parts) {
  return parts.size() == 1 && parts.front().kind == PartKind::kAny;
}

// Letters of a rule are letters only: none of them is the star of a subscription.
bool has_literal_star(std::span<const FilledPart> parts) {
  return std::any_of(parts.begin(), parts.end(), [](const FilledPart& part) {
    return part.kind == PartKind::kText && part.text.find('*') != std::string_view::npos;
  });
}

// A star in the text is then a letter that only a star of the parts takes.
bool covers_segment(std::span<const FilledPart> parts, const Named& named) {
  if (is_lone_star(parts)) return true;
  if (named.has_star && has_literal_star(parts)) return false;
  return fits(parts, named.text);
}

// What every match of the parts begins with (or, from the back, ends with).
std::string fixed_begin(std::span<const FilledPart> parts) {
  std::string begin;
  for (const FilledPart& part : parts) {
    if (part.kind != PartKind::kText) break;
    begin += part.text;
  }
  return begin;
}

std::string fixed_end(std::span<const FilledPart> parts) {
  std::string end;
  for (auto part = parts.rbegin(); part != parts.rend() && part->kind == PartKind::kText; ++part)
    end.insert(0, part->text);
  return end;
}

bool overlaps_segment(std::span<const FilledPart> parts, const Named& named) {
  if (!named.has_star) return fits(parts, named.text);
  const std::string_view begin = named.text.substr(0, named.text.find('*'));
  const std::string_view end = named.text.substr(named.text.rfind('*') + 1);
  const std::string our_begin = fixed_begin(parts);
  const std::string our_end = fixed_end(parts);
  const bool begins_alike = begin.starts_with(our_begin) || our_begin.starts_with(begin);
  return begins_alike && (end.ends_with(our_end) || our_end.ends_with(end));
}

}  // namespace

// With names filled in. The parts of a segment stand in a row.
struct NameTemplate::Filled {
  struct Place {
    bool any_number = false;
    std::size_t first = 0;
    std::size_t count = 0;
  };
  std::vector<FilledPart> parts;
  std::vector<Place> places;

  void begin(bool any_number) { places.push_back({any_number, parts.size(), 0}); }
  void add(const FilledPart& part) {
    if (part.kind == PartKind::kText && part.text.empty()) return;
    parts.push_back(part);
    ++places.back().count;
  }
  [[nodiscard]] std::span<const FilledPart> at(std::size_t i) const {
    return std::span(parts).subspan(places[i].first, places[i].count);
  }
};

storage::Result<NameTemplate> NameTemplate::parse(std::string_view text) {
  if (text.empty()) return Error{ErrorCode::kInvalid, "the name is empty"};
  NameTemplate made;
  const std::vector<std::string_view> segments = split(text);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (is_any_number(segments[i])) {
      made.segments_.push_back({true, {}});
    } else if (segments[i] == ">" && i + 1 == segments.size()) {
      made.segments_.push_back({false, {{PartKind::kAny, {}}}});
      made.segments_.push_back({true, {}});
    } else if (segments[i] == ">") {
      return Error{ErrorCode::kInvalid, "> stands for the rest of a name: only at its end"};
    } else {
      auto parts = parse_parts(segments[i]);
      if (!parts) return parts.error();
      made.segments_.push_back({false, std::move(*parts)});
    }
  }
  // A name has one segment at least, so that a lone `>` is every name, as a lone `**` is.
  const bool is_rest = made.segments_.size() == 2 && text == ">";
  if (is_rest) made.segments_.erase(made.segments_.begin());
  return made;
}

std::optional<NameTemplate::Filled> NameTemplate::fill_in(const Substitutes& substitutes) const {
  Filled filled;
  for (const Segment& segment : segments_) {
    filled.begin(segment.any_number);
    for (const Part& part : segment.parts) {
      const FilledPart one = fill(part, substitutes);
      if (part.kind != PartKind::kUser && part.kind != PartKind::kCertificate) {
        filled.add(one);
        continue;
      }
      if (one.text.empty()) return std::nullopt;
      bool is_first = true;
      for (const std::string_view piece : split(one.text)) {
        if (!is_first) filled.begin(false);
        is_first = false;
        filled.add({PartKind::kText, piece});
      }
    }
  }
  return filled;
}

bool NameTemplate::covers(std::string_view name, Naming naming,
                          const Substitutes& substitutes) const {
  const auto ours = fill_in(substitutes);
  if (!ours) return false;
  const std::vector<Named> theirs = segments_of(name, naming);
  struct Cursor {
    std::span<const Named> rest;
    [[nodiscard]] bool at_end() const { return rest.empty(); }
    void advance() { rest = rest.subspan(1); }
  };
  // What stands for any number of segments there is only taken by what does so here.
  return routing::star_match(
      ours->places.size(), [&ours](std::size_t i) { return ours->places[i].any_number; },
      Cursor{theirs},
      [&ours](std::size_t i, const Cursor& at) {
        return !at.rest.front().any_number && covers_segment(ours->at(i), at.rest.front());
      });
}

bool NameTemplate::overlaps(std::string_view name, Naming naming,
                            const Substitutes& substitutes) const {
  const auto ours = fill_in(substitutes);
  if (!ours) return false;
  const std::vector<Named> theirs = segments_of(name, naming);
  // row[j]: our segments from i on and theirs from j on have a name in common.
  const std::size_t width = theirs.size() + 1;
  std::vector<bool> row(width, false);
  std::vector<bool> below(width, false);
  for (std::size_t i = ours->places.size() + 1; i-- > 0;) {
    const bool we_end = i == ours->places.size();
    for (std::size_t j = width; j-- > 0;) {
      const bool they_end = j == theirs.size();
      bool common = we_end && they_end;
      if (!we_end && ours->places[i].any_number) {
        common = below[j] || (!they_end && row[j + 1]);
      } else if (!they_end && theirs[j].any_number) {
        common = row[j + 1] || (!we_end && below[j]);
      } else if (!we_end && !they_end) {
        common = below[j + 1] && overlaps_segment(ours->at(i), theirs[j]);
      }
      row[j] = common;
    }
    std::swap(row, below);
  }
  return below[0];
}

}  // namespace stompbox::access

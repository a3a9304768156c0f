#include "broker/access/text_template.h"

#include <cassert>
#include <optional>
#include <utility>

namespace stompbox::access {
namespace {

using storage::Error;
using storage::ErrorCode;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name(PartKind kind) {
  return kind == PartKind::kUser || kind == PartKind::kCertificate;
}

// Where in `text` the part ends that begins at `at`; nothing if it does not fit there. Not for
// kAny.
std::optional<std::size_t> end_of(const FilledPart& part, std::string_view text, std::size_t at) {
  if (part.kind == PartKind::kText) {
    if (!text.substr(at).starts_with(part.text)) return std::nullopt;
    return at + part.text.size();
  }
  assert(part.kind == PartKind::kNumber);
  std::size_t end = at;
  while (end < text.size() && is_digit(text[end]))
    ++end;
  return end == at ? std::nullopt : std::optional(end);
}

void add_letter(std::vector<Part>& parts, char letter) {
  if (parts.empty() || parts.back().kind != PartKind::kText) parts.push_back({});
  parts.back().text += letter;
}

// What follows a percent sign.
storage::Status add_sign(std::vector<Part>& parts, std::string_view sign) {
  switch (sign.empty() ? '\0' : sign.front()) {
    case 'u': parts.push_back({PartKind::kUser, {}}); return storage::kOk;
    case 'c': parts.push_back({PartKind::kCertificate, {}}); return storage::kOk;
    case 'd': parts.push_back({PartKind::kNumber, {}}); return storage::kOk;
    case '%': add_letter(parts, '%'); return storage::kOk;
    default:
      return Error{ErrorCode::kInvalid,
                   "a percent sign is followed by u (the user), c (the certificate's name), d (a "
                   "number) or another percent sign"};
  }
}

storage::Status check_numbers(const std::vector<Part>& parts) {
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i].kind != PartKind::kNumber) continue;
    const Part& next = parts[i + 1];
    const bool digit_follows = next.kind == PartKind::kText && is_digit(next.text.front());
    if (digit_follows || is_name(next.kind) || next.kind == PartKind::kNumber) {
      return Error{ErrorCode::kInvalid,
                   "%d cannot stand before a digit or a name: put another letter between them"};
    }
  }
  return storage::kOk;
}

enum class Stars { kWild, kLetters };

storage::Result<std::vector<Part>> parse(std::string_view text, Stars stars) {
  std::vector<Part> parts;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '*' && stars == Stars::kWild) {
      if (parts.empty() || parts.back().kind != PartKind::kAny)
        parts.push_back({PartKind::kAny, {}});
    } else if (text[i] == '%') {
      if (auto status = add_sign(parts, text.substr(++i)); !status) return status.error();
    } else {
      add_letter(parts, text[i]);
    }
  }
  if (auto status = check_numbers(parts); !status) return status.error();
  return parts;
}

}  // namespace

FilledPart fill(const Part& part, const Substitutes& substitutes) {
  switch (part.kind) {
    case PartKind::kUser: return {PartKind::kText, substitutes.user};
    case PartKind::kCertificate: return {PartKind::kText, substitutes.certificate};
    default: return {part.kind, part.text};
  }
}

bool fits(std::span<const FilledPart> parts, std::string_view text) {
  // Going back to the last star is enough: the earliest end of what stands before it is the best.
  std::optional<std::size_t> star;
  std::size_t star_end = 0;  // what the last star has taken so far
  std::size_t part = 0;
  std::size_t at = 0;
  for (;;) {
    if (part == parts.size() && at == text.size()) return true;
    if (part < parts.size() && parts[part].kind == PartKind::kAny) {
      star = part++;
      star_end = at;
      continue;
    }
    const auto end =
        part < parts.size() ? end_of(parts[part], text, at) : std::optional<std::size_t>();
    if (end) {
      at = *end;
      ++part;
    } else if (star && star_end < text.size()) {
      at = ++star_end;
      part = *star + 1;
    } else {
      return false;
    }
  }
}

storage::Result<std::vector<Part>> parse_parts(std::string_view text) {
  return parse(text, Stars::kWild);
}

storage::Result<TextTemplate> TextTemplate::parse(std::string_view text) {
  auto parts = access::parse(text, Stars::kWild);
  if (!parts) return parts.error();
  TextTemplate made;
  made.parts_ = std::move(*parts);
  return made;
}

storage::Result<TextTemplate> TextTemplate::parse_exact(std::string_view text) {
  auto parts = access::parse(text, Stars::kLetters);
  if (!parts) return parts.error();
  TextTemplate made;
  made.parts_ = std::move(*parts);
  return made;
}

bool TextTemplate::fits(std::string_view text, const Substitutes& substitutes) const {
  std::vector<FilledPart> filled;
  filled.reserve(parts_.size());
  for (const Part& part : parts_) {
    filled.push_back(fill(part, substitutes));
    if (is_name(part.kind) && filled.back().text.empty()) return false;
  }
  return access::fits(filled, text);
}

}  // namespace stompbox::access

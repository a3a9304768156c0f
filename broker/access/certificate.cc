#include "broker/access/certificate.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace stompbox::access {
namespace {

using storage::Error;
using storage::ErrorCode;

constexpr std::string_view kArrow = "->";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Reads "\," and "\2C" (RFC 2253); `at` stands behind the backslash.
char unescaped(std::string_view text, std::size_t& at) {
  const int high = hex_value(text[at]);
  const int low = at + 1 < text.size() ? hex_value(text[at + 1]) : -1;
  if (high < 0 || low < 0) return text[at++];
  at += 2;
  return static_cast<char>(high * 16 + low);
}

// One "TYPE=value" from `at` on, which is then behind the comma or plus that ends it.
struct Attribute {
  std::string type;
  std::string value;
};

Attribute next_attribute(std::string_view subject, std::size_t& at) {
  Attribute read;
  bool in_value = false;
  while (at < subject.size()) {
    const char c = subject[at++];
    if (c == ',' || c == '+') break;
    std::string& piece = in_value ? read.value : read.type;
    if (c == '\\' && at < subject.size()) {
      piece += unescaped(subject, at);
    } else if (c == '=' && !in_value) {
      in_value = true;
    } else {
      piece += c;
    }
  }
  return read;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// A user has a name that a log line can hold.
bool is_name(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  return !text.empty() && std::none_of(text.begin(), text.end(), is_control);
}

}  // namespace

std::string common_name(std::string_view subject) {
  for (std::size_t at = 0; at < subject.size();) {
    Attribute attribute = next_attribute(subject, at);
    if (attribute.type == "CN") return std::move(attribute.value);
  }
  return {};
}

CertificateMap::Starred CertificateMap::part(std::string_view text) {
  const std::size_t star = text.find('*');
  if (star == std::string_view::npos) return {std::string(text), {}, false};
  return {std::string(text.substr(0, star)), std::string(text.substr(star + 1)), true};
}

storage::Result<CertificateMap> CertificateMap::make(CertificateLogin login,
                                                     std::span<const std::string> entries) {
  CertificateMap made;
  made.login_ = login;
  for (const std::string& entry : entries) {
    const std::size_t arrow = entry.find(kArrow);
    const std::string_view text(entry);
    const std::string_view pattern = trimmed(text.substr(0, arrow));
    const std::string_view user =
        arrow == std::string::npos ? "" : trimmed(text.substr(arrow + kArrow.size()));
    const auto stars = [](std::string_view side) {
      return std::count(side.begin(), side.end(), '*');
    };
    const bool sane =
        !pattern.empty() && !user.empty() && stars(pattern) <= 1 && stars(user) <= stars(pattern);
    if (!sane) {
      return Error{ErrorCode::kInvalid,
                   "'" + entry +
                       "' is not 'PATTERN -> USER', like 'CN=*,O=Example -> *': one star on the "
                       "left, and one on the right if the user has the same letters in it"};
    }
    made.entries_.push_back({part(pattern), part(user)});
  }
  return made;
}

std::optional<std::string> CertificateMap::map(std::string_view text) const {
  if (!is_name(text)) return std::nullopt;
  if (entries_.empty()) return std::string(text);
  for (const Entry& entry : entries_) {
    const auto& [begin, end, has_star] = entry.pattern;
    const bool matches = has_star ? text.size() >= begin.size() + end.size() &&
                                        text.starts_with(begin) && text.ends_with(end)
                                  : text == begin;
    if (!matches) continue;
    std::string user = entry.user.begin;
    if (entry.user.has_star) {
      user += text.substr(begin.size(), text.size() - begin.size() - end.size());
    }
    user += entry.user.end;
    return is_name(user) ? std::optional(std::move(user)) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> CertificateMap::user_of(const Certificate& certificate) const {
  if (certificate.subject.empty() && certificate.names.empty()) return std::nullopt;
  const std::string name = common_name(certificate.subject);
  switch (login_) {
    case CertificateLogin::kOff: return std::nullopt;
    case CertificateLogin::kSubject: return map(certificate.subject);
    case CertificateLogin::kCommonName: return map(name);
    case CertificateLogin::kSan: break;
  }
  // The CN stands among the names, in front: it is no alternative name.
  const bool name_is_first = !certificate.names.empty() && certificate.names.front() == name;
  for (const std::string& text : certificate.names.subspan(name_is_first ? 1 : 0)) {
    if (auto user = map(text)) return user;
  }
  return std::nullopt;
}

}  // namespace stompbox::access

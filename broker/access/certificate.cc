#include "broker/access/certificate.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace stompbox::access {
namespace {

using storage::Error;
using storage::ErrorCode;

constexpr std::string_view kArrow = "->";

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
  switch (login_) {
    case CertificateLogin::kOff: return std::nullopt;
    case CertificateLogin::kSubject: return map(certificate.subject);
    case CertificateLogin::kCommonName: return map(certificate.common_name);
    case CertificateLogin::kSan: break;
  }
  for (const std::string& text : certificate.alternative_names) {
    if (auto user = map(text)) return user;
  }
  return std::nullopt;
}

}  // namespace stompbox::access

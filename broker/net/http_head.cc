#include "broker/net/http_head.h"

#include <algorithm>

namespace stompbox::net {
namespace {

constexpr std::string_view kVersion = "HTTP/1.1";
constexpr std::string_view kBlanks = " \t";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

bool is_name_char(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  const bool alphanumeric =
      (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return alphanumeric || kOthers.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_name_char);
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

// The next line without its end; the text begins behind it then.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool parse_request_line(std::string_view line, HttpRequest& request) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  return is_token(request.method) && line.substr(last + 1) == kVersion &&
         request.target.starts_with('/') && request.target.find(' ') == std::string_view::npos;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::vector<std::string_view> words_of(std::string_view list) {
  std::vector<std::string_view> words;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view word = without_blanks(list.substr(0, comma));
    if (!word.empty()) words.push_back(word);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return words;
}

std::optional<std::string_view> HttpRequest::find(std::string_view name) const {
  for (const auto& [known, value] : fields) {
    if (equal_ignoring_case(known, name)) return value;
  }
  return std::nullopt;
}

std::size_t HttpRequest::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields.begin(), fields.end(),
                    [name](const auto& field) { return equal_ignoring_case(field.first, name); }));
}

bool HttpRequest::lists(std::string_view name, std::string_view word) const {
  for (const auto& [known, value] : fields) {
    if (!equal_ignoring_case(known, name)) continue;
    for (const std::string_view listed : words_of(value)) {
      if (equal_ignoring_case(listed, word)) return true;
    }
  }
  return false;
}

std::optional<std::size_t> find_head_end(std::string_view text) {
  for (std::size_t at = text.find('\n'); at != std::string_view::npos;
       at = text.find('\n', at + 1)) {
    const std::string_view rest = text.substr(at + 1);
    if (rest.starts_with('\n')) return at + 2;
    if (rest.starts_with("\r\n")) return at + 3;
  }
  return std::nullopt;
}

std::optional<HttpRequest> parse_http_head(std::string_view head) {
  HttpRequest request;
  const std::string_view first = take_line(head);
  if (std::any_of(first.begin(), first.end(), is_control)) return std::nullopt;
  if (!parse_request_line(first, request)) return std::nullopt;
  while (!head.empty()) {
    const std::string_view line = take_line(head);
    if (line.empty()) return request;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) ||
        std::any_of(line.begin(), line.end(), is_control) ||
        request.fields.size() == kHttpFieldsMax) {
      return std::nullopt;
    }
    request.fields.emplace_back(line.substr(0, colon), without_blanks(line.substr(colon + 1)));
  }
  return std::nullopt;  // no blank line
}

}  // namespace stompbox::net

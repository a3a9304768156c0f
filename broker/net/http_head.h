#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stompbox::net {

// The head of an HTTP/1.1 request, as far as a WebSocket handshake asks. Views into the text.
struct HttpRequest {
  std::string_view method;
  std::string_view target;
  std::vector<std::pair<std::string_view, std::string_view>> fields;  // values without blanks

  // The first of that name, in whatever case.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  // Whether the comma-separated lists of all fields of that name have the word, in whatever case.
  [[nodiscard]] bool lists(std::string_view name, std::string_view word) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
};

// Bounds on what is no handshake.
inline constexpr std::size_t kHttpHeadBytesMax = 8 * 1024;
inline constexpr std::size_t kHttpFieldsMax = 100;

// Where the head in `text` ends, its blank line included; nothing: it has not come whole.
[[nodiscard]] std::optional<std::size_t> find_head_end(std::string_view text);
// Reads a whole head. Nothing: it is no HTTP/1.1 request. Lines may end in LF alone; continued
// lines, controls and blanks before a colon are refused.
[[nodiscard]] std::optional<HttpRequest> parse_http_head(std::string_view head);

[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);
// The words of a comma-separated list, without blanks and without empty ones.
[[nodiscard]] std::vector<std::string_view> words_of(std::string_view list);

}  // namespace stompbox::net

#include <cstring>

#include "broker/routing/selector.h"
#include "protocol/escapes.h"

namespace stompbox::routing {
namespace {

// Takes the first line off `rest`, without its end.
std::string_view take_line(std::string_view& rest) {
  const void* const end = std::memchr(rest.data(), '\n', rest.size());
  const std::size_t size =
      end == nullptr ? rest.size()
                     : static_cast<std::size_t>(static_cast<const char*>(end) - rest.data());
  const std::string_view line = rest.substr(0, size);
  rest.remove_prefix(end == nullptr ? size : size + 1);
  return line;
}

void unescape(std::string& out, std::string_view text) {
  out.clear();
  protocol::append_unescaped_leniently(out, protocol::Version::k12, text);
}

// The value of a line without escapes, if it is of that name; a name with a colon has an escape.
std::optional<std::string_view> plain_value(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':' || !line.starts_with(name))
    return std::nullopt;
  if (name.find(':') != std::string_view::npos) return std::nullopt;
  return line.substr(name.size() + 1);
}

std::optional<std::string_view> escaped_value(std::string_view line, std::string_view name,
                                              std::string& scratch) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  unescape(scratch, line.substr(0, colon));
  if (scratch != name) return std::nullopt;
  unescape(scratch, line.substr(colon + 1));
  return scratch;
}

}  // namespace

std::optional<std::string_view> find_header(const queue::Message& message, std::string_view name,
                                            std::string& scratch) {
  return find_header(HeaderLines{message.header_block, message.block_is_plain}, name, scratch);
}

std::optional<std::string_view> find_header(const HeaderLines& headers, std::string_view name,
                                            std::string& scratch) {
  std::string_view rest = headers.block;
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    const bool is_plain = headers.is_plain || line.find('\\') == std::string_view::npos;
    const auto value = is_plain ? plain_value(line, name) : escaped_value(line, name, scratch);
    if (value) return value;
  }
  return std::nullopt;
}

}  // namespace stompbox::routing

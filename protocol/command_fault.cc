#include "protocol/command_fault.h"

#include <algorithm>
#include <array>

#include "protocol/frame.h"

namespace stompbox::protocol {
namespace {

constexpr std::size_t kExcerptBytesMax = 40;

// ASCII only: what a locale thinks does not matter on the wire.
char upper(char byte) {
  return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
}

char printable(char byte) {
  return byte >= ' ' && byte <= '~' ? byte : '.';
}

// Short and printable. Ends at a colon: what follows one may be a passcode that lost its frame.
std::string excerpt(std::string_view text) {
  std::string out(text.substr(0, std::min(kExcerptBytesMax, text.find(':'))));
  std::transform(out.begin(), out.end(), out.begin(), printable);
  return out;
}

bool is_http(std::string_view text) {
  constexpr std::array<std::string_view, 10> kMethods{"GET ",     "HEAD ",    "POST ",  "PUT ",
                                                      "DELETE ",  "OPTIONS ", "PATCH ", "TRACE ",
                                                      "CONNECT ", "PRI "};
  return std::any_of(kMethods.begin(), kMethods.end(),
                     [text](std::string_view method) { return text.starts_with(method); });
}

bool is_command_in_other_case(std::string_view text) {
  std::string upper_case(text);
  std::transform(upper_case.begin(), upper_case.end(), upper_case.begin(), upper);
  return parse_command(upper_case).has_value();
}

}  // namespace

std::string describe_bad_command(std::string_view line, std::size_t command_bytes_max) {
  std::string_view text = line.substr(0, command_bytes_max);
  text = text.substr(0, text.find('\0'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  std::string detail = "Could not interpret command \"" + excerpt(text) + "\"";
  if (is_http(text)) detail += ". This is a STOMP port, it does not speak HTTP";
  if (is_command_in_other_case(text)) detail += ". Commands are written in upper case";
  return detail;
}

}  // namespace stompbox::protocol

#include <array>
#include <charconv>

#include "broker/log/log.h"

namespace stompbox::log {
namespace {

// A value longer than this says nothing more to who reads the log.
constexpr std::size_t kValueBytesMax = 1024;

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > ' ' && byte != 0x7f && c != '"' && c != '\\' && c != '=';
}

// Peers choose some of the values: none of them may begin a line of its own or colour a terminal.
void append_quoted(std::string& out, std::string_view value) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < ' ' || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_key(std::string& out, std::string_view key) {
  out += ' ';
  out += key;
  out += '=';
}

template <typename Number>
void append_number(std::string& out, Number value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

}  // namespace

Fields& Fields::add(std::string_view key, std::string_view value) {
  append_key(text_, key);
  value = value.substr(0, kValueBytesMax);
  bool plain = !value.empty();
  for (const char c : value)
    plain = plain && is_plain(c);
  if (plain) {
    text_ += value;
  } else {
    append_quoted(text_, value);
  }
  return *this;
}

Fields& Fields::add(std::string_view key, std::int64_t value) {
  append_key(text_, key);
  append_number(text_, value);
  return *this;
}

Fields& Fields::add(std::string_view key, std::uint64_t value) {
  append_key(text_, key);
  append_number(text_, value);
  return *this;
}

}  // namespace stompbox::log

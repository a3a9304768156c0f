#include "protocol/escapes.h"

#include <algorithm>
#include <array>

namespace stompbox::protocol {
namespace {

// Each byte of each header that goes out is asked: one look-up, no comparisons.
constexpr std::array<bool, 256> kSpecial = [] {
  std::array<bool, 256> special{};
  for (const char byte : {'\\', '\n', '\r', ':', '\0'})
    special[static_cast<unsigned char>(byte)] = true;
  return special;
}();

bool is_special(char byte) {
  return kSpecial[static_cast<unsigned char>(byte)];
}

// The byte that `letter` stands for after a backslash, or NUL if the version does not define it.
char decoded(Version version, char letter) {
  switch (letter) {
    case 'n': return '\n';
    case 'c': return ':';
    case '\\': return '\\';
    case 'r': return version == Version::k12 ? '\r' : '\0';
    default: return '\0';
  }
}

void append_1_0(std::string& out, HeaderPart part, char byte) {
  const bool impossible = byte == '\n' || byte == '\r' || byte == '\0';
  out.push_back(impossible || (byte == ':' && part == HeaderPart::kName) ? ' ' : byte);
}

void append_1_1_up(std::string& out, Version version, char byte) {
  switch (byte) {
    case '\n': out.append("\\n"); return;
    case ':': out.append("\\c"); return;
    case '\\': out.append("\\\\"); return;
    case '\r': version == Version::k12 ? out.append("\\r") : out.append("\r"); return;
    case '\0': out.push_back(' '); return;
    default: out.push_back(byte); return;
  }
}

}  // namespace

std::size_t find_special(std::string_view text) {
  const auto found = std::find_if(text.begin(), text.end(), is_special);
  return found == text.end() ? std::string_view::npos
                             : static_cast<std::size_t>(found - text.begin());
}

bool append_unescaped(std::string& out, Version version, std::string_view& text) {
  for (;;) {
    const std::size_t plain = text.find('\\');
    out.append(text.substr(0, plain));
    if (plain == std::string_view::npos) return true;
    text.remove_prefix(plain);
    const char byte = text.size() > 1 ? decoded(version, text[1]) : '\0';
    if (byte == '\0') return false;
    out.push_back(byte);
    text.remove_prefix(2);
  }
}

void append_unescaped_leniently(std::string& out, Version version, std::string_view text) {
  while (!append_unescaped(out, version, text)) {
    out.push_back('\\');
    text.remove_prefix(1);
  }
}

void append_escaped(std::string& out, Version version, HeaderPart part, std::string_view text) {
  for (;;) {
    const std::size_t plain = find_special(text);
    out.append(text.substr(0, plain));
    if (plain == std::string_view::npos) return;
    if (version == Version::k10) {
      append_1_0(out, part, text[plain]);
    } else {
      append_1_1_up(out, version, text[plain]);
    }
    text.remove_prefix(plain + 1);
  }
}

}  // namespace stompbox::protocol

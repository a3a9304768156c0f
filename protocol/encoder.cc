#include "protocol/encoder.h"

#include <algorithm>

#include "protocol/escapes.h"

namespace stompbox::protocol {
namespace {

constexpr std::string_view kContentLength = "content-length";

struct Line {
  std::string_view name;
  std::string_view value;
};

// Takes the first line off a block. A line without a colon, which no writer of ours makes, is a
// name.
Line take_line(std::string_view& block) {
  const std::size_t end = std::min(block.find('\n'), block.size());
  const std::string_view line = block.substr(0, end);
  block.remove_prefix(std::min(end + 1, block.size()));
  const std::size_t colon = std::min(line.find(':'), line.size());
  return {.name = line.substr(0, colon), .value = line.substr(std::min(colon + 1, line.size()))};
}

std::string decoded(std::string_view text) {
  std::string out;
  append_unescaped_leniently(out, Version::k12, text);
  return out;
}

}  // namespace

void append_header(std::string& out, Version version, std::string_view name,
                   std::string_view value) {
  append_escaped(out, version, HeaderPart::kName, name);
  out.push_back(':');
  append_escaped(out, version, HeaderPart::kValue, value);
  out.push_back('\n');
}

void append_frame(std::string& out, Version version, const Frame& frame) {
  // A dialect without escapes is what login frames carry.
  const Version dialect = is_login(frame.command) ? Version::k10 : version;
  out.append(to_text(frame.command));
  out.push_back('\n');
  if (!frame.body.empty()) {
    append_header(out, dialect, kContentLength, std::to_string(frame.body.size()));
  }
  for (std::size_t i = 0; i < frame.headers.size(); ++i) {
    const Headers::View header = frame.headers.at(i);
    if (header.name != kContentLength) append_header(out, dialect, header.name, header.value);
  }
  out.push_back('\n');
  out.append(frame.body);
  out.push_back('\0');
}

void append_block_for(std::string& out, Version version, std::string_view block,
                      bool block_is_plain) {
  if (block_is_plain || version == Version::k12) {
    out.append(block);
    return;
  }
  while (!block.empty()) {
    const Line line = take_line(block);
    append_header(out, version, decoded(line.name), decoded(line.value));
  }
}

bool needs_escape(std::string_view text) {
  return find_special(text) != std::string_view::npos;
}

Headers parse_block(std::string_view block) {
  Headers headers;
  while (!block.empty()) {
    const Line line = take_line(block);
    if (needs_escape(line.name) || needs_escape(line.value)) {
      headers.add(decoded(line.name), decoded(line.value));
    } else {
      headers.add(line.name, line.value);
    }
  }
  return headers;
}

}  // namespace stompbox::protocol

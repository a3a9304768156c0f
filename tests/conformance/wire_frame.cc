#include "tests/conformance/wire_frame.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace stompbox::conformance {
namespace {

// '*' stands for any bytes, none included.
bool matches(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  pattern.remove_prefix(star + 1);
  text.remove_prefix(star);
  if (pattern.empty()) return true;
  for (;; text.remove_prefix(1)) {
    if (matches(pattern, text)) return true;
    if (text.empty()) return false;
  }
}

std::vector<std::string> values_of(const WireFrame& frame, const std::string& name) {
  std::vector<std::string> values;
  for (const auto& [header, value] : frame.headers) {
    if (header == name) values.push_back(value);
  }
  return values;
}

bool is_name(const std::string& value) {
  return value.size() > 2 && value.front() == '{' && value.back() == '}' &&
         value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789", 1) == value.size() - 1;
}

// One line of an expectation: "name:pattern", "!name" (must be absent), "=name:pattern" (once),
// "~name:pattern" (there, but something else).
std::string compare_header(const WireFrame& frame, std::string line, Names& names,
                           std::map<std::string, std::size_t>& used) {
  if (line.starts_with("!")) {
    const bool is_there = !values_of(frame, line.substr(1)).empty();
    return is_there ? "there must be no header " + line.substr(1) : "";
  }
  const bool only_once = line.starts_with("=");
  const bool is_other = line.starts_with("~");
  if (only_once || is_other) line.erase(0, 1);
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos) return "the case's header line has no colon: " + line;
  const std::string name = line.substr(0, colon);
  const std::string pattern = line.substr(colon + 1);
  const std::vector<std::string> values = values_of(frame, name);
  if (only_once && values.size() > 1) return "the header " + name + " comes more than once";
  const std::size_t index = is_other ? 0 : used[name]++;
  if (index >= values.size()) return "the header " + name + " is missing";
  if (is_other) {
    return matches(with_names(pattern, names), values[index]) ? name + " must be something else"
                                                              : "";
  }
  if (is_name(pattern)) {
    const std::string key = pattern.substr(1, pattern.size() - 2);
    const auto known = names.emplace(key, values[index]).first;
    return known->second == values[index] ? "" : name + " is not " + shown(known->second);
  }
  if (matches(with_names(pattern, names), values[index])) return "";
  return "the header " + name + " is " + shown(values[index]);
}

}  // namespace

std::optional<WireFrame> take_frame(std::string& bytes, int& beats) {
  const std::size_t start = bytes.find_first_not_of('\n');
  beats += static_cast<int>(std::min(start, bytes.size()));
  bytes.erase(0, start);
  const std::size_t blank = bytes.find("\n\n");
  if (blank == std::string::npos) return std::nullopt;
  WireFrame frame;
  std::istringstream head(bytes.substr(0, blank));
  std::getline(head, frame.command);
  for (std::string line; std::getline(head, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || colon == 0) {
      throw std::runtime_error("no header line: " + shown(line));
    }
    frame.headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
  }
  const std::size_t body = blank + 2;
  const auto length = values_of(frame, "content-length");
  const std::size_t end =
      length.empty() ? bytes.find('\0', body) : body + std::stoul(length.front());
  if (end == std::string::npos || end >= bytes.size()) return std::nullopt;
  if (bytes[end] != '\0') throw std::runtime_error("no NUL where content-length says");
  frame.body = bytes.substr(body, end - body);
  bytes.erase(0, end + 1);
  return frame;
}

std::string with_names(const std::string& text, const Names& names) {
  std::string out = text;
  for (const auto& [name, value] : names) {
    const std::string key = "{" + name + "}";
    for (std::size_t at = out.find(key); at != std::string::npos; at = out.find(key, at)) {
      out.replace(at, key.size(), value);
      at += value.size();
    }
  }
  return out;
}

std::string compare(const WireFrame& frame, const std::string& expected, Names& names) {
  const std::size_t blank = expected.find("\n\n");
  std::istringstream head(expected.substr(0, blank));
  std::string line;
  std::getline(head, line);
  if (line != frame.command) return "the command is " + shown(frame.command);
  std::map<std::string, std::size_t> used;
  while (std::getline(head, line)) {
    std::string difference = compare_header(frame, line, names, used);
    if (!difference.empty()) return difference;
  }
  if (blank == std::string::npos) return "";
  const std::string body = with_names(expected.substr(blank + 2), names);
  return matches(body, frame.body) ? "" : "the body is " + shown(frame.body);
}

std::string shown(const std::string& bytes) {
  constexpr std::size_t kShownBytes = 600;
  std::ostringstream out;
  for (const char c : bytes.substr(0, kShownBytes)) {
    if (c == '\n') {
      out << "\\n";
    } else if (c == '\r') {
      out << "\\r";
    } else if (c == '\0') {
      out << "\\0";
    } else if (c == '\\') {
      out << "\\\\";
    } else {
      out << c;
    }
  }
  if (bytes.size() > kShownBytes) out << "...";
  return out.str();
}

std::string shown(const WireFrame& frame) {
  std::string text = frame.command + "\n";
  for (const auto& [name, value] : frame.headers)
    text += name + ":" + value + "\n";
  return shown(text + "\n" + frame.body);
}

}  // namespace stompbox::conformance

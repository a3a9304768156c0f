#include "broker/faces/puppetqd_conf.h"

#include <array>
#include <cstddef>
#include <utility>

namespace stompbox::faces {
namespace {

using storage::Error;
using storage::ErrorCode;

constexpr int kDepthMax = 16;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\f\v";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

bool is_of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string value_of(std::string_view text) {
  text = trimmed(text);
  if (text.ends_with('}')) {
    const std::size_t brace = text.rfind('{');
    const bool interpolated =
        brace != std::string_view::npos && brace > 0 && text[brace - 1] == '$';
    if (brace != std::string_view::npos && !interpolated) text = trimmed(text.substr(0, brace));
  }
  const bool quoted = text.size() >= 2 && text.front() == text.back() &&
                      (text.front() == '"' || text.front() == '\'');
  return std::string(quoted ? text.substr(1, text.size() - 2) : text);
}

// The name behind a dollar sign; what is left of `text` begins behind it.
std::string_view take_name(std::string_view& text) {
  const bool braces = text.starts_with('{');
  if (braces) text.remove_prefix(1);
  std::size_t size = 0;
  while (size < text.size() && is_of_name(text[size]))
    ++size;
  const std::string_view name = text.substr(0, size);
  text.remove_prefix(size);
  if (braces && text.starts_with('}')) text.remove_prefix(1);
  return name;
}

}  // namespace

storage::Result<PuppetConf> read_puppet_conf(std::string_view text, const std::string& source) {
  PuppetConf conf;
  auto* section = &conf["main"];
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[' && line.back() == ']') {
      section = &conf[std::string(trimmed(line.substr(1, line.size() - 2)))];
      continue;
    }
    const std::size_t sign = line.find('=');
    if (sign == 0 || sign == std::string_view::npos) {
      return Error{ErrorCode::kInvalid, source + " line " + std::to_string(number) +
                                            " is neither [section] nor setting = value"};
    }
    (*section)[std::string(trimmed(line.substr(0, sign)))] = value_of(line.substr(sign + 1));
  }
  return conf;
}

PuppetSettings::PuppetSettings(Values defaults, Values command_line)
    : defaults_(std::move(defaults)), command_line_(std::move(command_line)) {}

const std::string* PuppetSettings::find_said(std::string_view name) const {
  if (const auto given = command_line_.find(name); given != command_line_.end()) {
    return &given->second;
  }
  constexpr std::array<std::string_view, 3> kSections = {"puppetqd", "user", "main"};
  for (const std::string_view title : kSections) {
    const auto section = conf_.find(title);
    if (section == conf_.end()) continue;
    const auto found = section->second.find(std::string(name));
    if (found != section->second.end()) return &found->second;
  }
  return nullptr;
}

const std::string* PuppetSettings::find(std::string_view name) const {
  if (const std::string* const said = find_said(name)) return said;
  const auto standard = defaults_.find(name);
  return standard == defaults_.end() ? nullptr : &standard->second;
}

bool PuppetSettings::is_set(std::string_view name) const {
  return find_said(name) != nullptr;
}

storage::Result<std::string> PuppetSettings::value(std::string_view name) const {
  const std::string* const text = find(name);
  if (text == nullptr) return std::string();
  // A password may have a dollar sign in it, and Puppet's own reading of that is no help.
  if (name == "dbpassword" || name == "queue_source") return *text;
  return filled(*text, 0);
}

storage::Result<std::string> PuppetSettings::filled(std::string_view text, int depth) const {
  if (depth > kDepthMax) {
    return Error{ErrorCode::kInvalid,
                 "settings refer to each other in a circle: " + std::string(text)};
  }
  std::string result;
  while (!text.empty()) {
    const std::size_t sign = text.find('$');
    result.append(text.substr(0, sign));
    if (sign == std::string_view::npos) break;
    text.remove_prefix(sign + 1);
    const std::string_view name = take_name(text);
    const std::string* const found = find(name);
    if (found == nullptr) {
      return Error{ErrorCode::kInvalid,
                   "there is no setting $" + std::string(name) + " that is known here"};
    }
    auto inner = filled(*found, depth + 1);
    if (!inner) return inner;
    result.append(*inner);
  }
  return result;
}

std::set<std::string> PuppetSettings::hidden_in(std::string_view section,
                                                const std::set<std::string>& names) const {
  std::set<std::string> hidden;
  const auto found = conf_.find(section);
  if (found == conf_.end()) return hidden;
  for (const auto& [name, value] : found->second) {
    if (!names.contains(name)) continue;
    const std::string* const seen = find(name);
    if (seen == nullptr || *seen != value) hidden.insert(name);
  }
  return hidden;
}

}  // namespace stompbox::faces

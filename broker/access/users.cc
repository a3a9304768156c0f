#include "broker/access/users.h"

#include <utility>

#include "broker/access/passwords.h"

namespace stompbox::access {
namespace {

using storage::Error;
using storage::ErrorCode;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
}

// The text up to the next end of line, which is taken away with it; CR LF counts as one.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// What is wrong with a line; empty if it was added.
std::string add_line(Users& users, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return "a line is name:hash, this one has no colon";
  const std::string_view name = line.substr(0, colon);
  const std::string hash(line.substr(colon + 1));
  if (const std::string_view fault = fault_of_name(name); !fault.empty()) return std::string(fault);
  if (!is_password_hash(hash)) {
    return "what follows the colon is not a password hash; 'stompbox passwd' makes one";
  }
  if (!users.add(std::string(name), hash)) {
    return "the user " + std::string(name) + " is there a second time";
  }
  return {};
}

}  // namespace

const std::string* Users::find_hash(std::string_view name) const {
  const auto found = hashes_.find(name);
  return found == hashes_.end() ? nullptr : &found->second;
}

std::vector<std::string> Users::names() const {
  std::vector<std::string> names;
  names.reserve(hashes_.size());
  for (const auto& [name, hash] : hashes_)
    names.push_back(name);
  return names;
}

bool Users::add(std::string name, std::string hash) {
  return hashes_.emplace(std::move(name), std::move(hash)).second;
}

storage::Result<Users> parse_users(std::string_view text, std::string_view source) {
  Users users;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = take_line(text);
    if (line.empty() || line.front() == '#') continue;
    if (const std::string fault = add_line(users, line); !fault.empty()) {
      return Error{ErrorCode::kInvalid,
                   std::string(source) + ":" + std::to_string(number) + ": " + fault};
    }
  }
  return users;
}

std::string_view fault_of_name(std::string_view name) {
  if (name.empty()) return "a user needs a name";
  if (name.front() == '#') return "a user's name cannot begin with '#'";
  if (name.front() == ' ' || name.back() == ' ') return "a user's name cannot begin or end blank";
  for (const char c : name) {
    if (c == ':') return "a user's name cannot have a colon";
    if (is_control(c)) return "a user's name cannot have control characters";
  }
  return {};
}

}  // namespace stompbox::access

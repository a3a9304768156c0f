#include "broker/access/users.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "broker/access/passwords.h"
#include "broker/access/text_file.h"

namespace stompbox::access {
namespace {

using storage::Error;
using storage::ErrorCode;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
}

// What is wrong with the text; empty if the groups were added.
std::string add_groups(User& user, std::string_view text) {
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    const std::string_view group = text.substr(0, comma);
    if (const std::string_view fault = fault_of_group(group); !fault.empty()) {
      return std::string(fault);
    }
    if (std::find(user.groups.begin(), user.groups.end(), group) == user.groups.end()) {
      user.groups.emplace_back(group);
    }
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
  }
  return {};
}

// What is wrong with a line; empty if it was added.
std::string add_line(Users& users, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return "a line is name:hash or name:hash:groups, this one has no colon";
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view rest = line.substr(colon + 1);
  const std::size_t end = rest.find(':');
  if (const std::string_view fault = fault_of_name(name); !fault.empty()) return std::string(fault);
  User user;
  user.secret = rest.substr(0, end);
  user.kind = user.secret == kNoPasscode ? SecretKind::kNone : SecretKind::kHash;
  if (user.kind == SecretKind::kHash && !is_password_hash(user.secret)) {
    return "what follows the colon is not a password hash; 'stompbox passwd' makes one";
  }
  if (end != std::string_view::npos) {
    if (std::string fault = add_groups(user, rest.substr(end + 1)); !fault.empty()) return fault;
  }
  if (!users.add(std::string(name), std::move(user))) {
    return "the user " + std::string(name) + " is there a second time";
  }
  return {};
}

}  // namespace

const User* Users::find(std::string_view name) const {
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : &found->second;
}

std::vector<std::string> Users::names() const {
  std::vector<std::string> names;
  names.reserve(users_.size());
  for (const auto& [name, user] : users_)
    names.push_back(name);
  return names;
}

bool Users::add(std::string name, User user) {
  return users_.emplace(std::move(name), std::move(user)).second;
}

void Users::put(std::string name, User user) {
  users_.insert_or_assign(std::move(name), std::move(user));
}

void Users::add_missing(const Users& others) {
  users_.insert(others.users_.begin(), others.users_.end());
}

storage::Result<Users> parse_users(std::string_view text, std::string_view source) {
  Users users;
  std::string mistakes;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = take_line(text);
    if (line.empty() || line.front() == '#') continue;
    if (const std::string fault = add_line(users, line); !fault.empty()) {
      if (!mistakes.empty()) mistakes += '\n';
      mistakes.append(source).append(":").append(std::to_string(number)).append(": ");
      mistakes += fault;
    }
  }
  if (!mistakes.empty()) return Error{ErrorCode::kInvalid, mistakes};
  return users;
}

std::string line_of(std::string_view name, std::string_view secret,
                    const std::vector<std::string>& groups) {
  std::string line = std::string(name).append(":").append(secret);
  for (std::size_t i = 0; i < groups.size(); ++i)
    line.append(i == 0 ? ":" : ",").append(groups[i]);
  return line;
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

std::string_view fault_of_group(std::string_view name) {
  if (name.empty()) return "a group needs a name; without groups there is no second colon";
  if (name.front() == ' ' || name.back() == ' ') return "a group's name cannot begin or end blank";
  for (const char c : name) {
    if (c == ':' || c == ',') return "a group's name cannot have a colon or a comma";
    if (is_control(c)) return "a group's name cannot have control characters";
  }
  return {};
}

}  // namespace stompbox::access

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/result.h"

// The users file: lines `name:hash` or `name:hash:group,group`, the hash as `stompbox passwd` makes
// it, or `-` for a user who comes in by certificate only; blank lines and lines that begin with '#'
// are left alone. A name has no colon, no blank at its ends and no control byte; a group has no
// comma either.
namespace stompbox::access {

enum class SecretKind : std::uint8_t {
  kHash,   // for verify_password
  kPlain,  // the passcode itself, of a foreign file
  kNone,   // no passcode is right
};

struct User {
  SecretKind kind = SecretKind::kNone;
  std::string secret;
  std::vector<std::string> groups;
};

inline constexpr std::string_view kNoPasscode = "-";

class Users {
 public:
  // Null for nobody. Lives as long as this.
  [[nodiscard]] const User* find(std::string_view name) const;
  [[nodiscard]] std::size_t count() const { return users_.size(); }
  [[nodiscard]] std::vector<std::string> names() const;

  // False: the name is there already.
  [[nodiscard]] bool add(std::string name, User user);
  // The later one of a name wins.
  void put(std::string name, User user);
  // Takes over those of `others` whose names are not here.
  void add_missing(const Users& others);

 private:
  std::map<std::string, User, std::less<>> users_;
};

// `source` names the text in errors: "source:line: what is wrong", every mistake on a line of its
// own. kInvalid.
[[nodiscard]] storage::Result<Users> parse_users(std::string_view text, std::string_view source);

// "name:secret" or "name:secret:group,group": a line of the file.
[[nodiscard]] std::string line_of(std::string_view name, std::string_view secret,
                                  const std::vector<std::string>& groups);

// What is wrong with a name, as a sentence; empty if it can be used.
[[nodiscard]] std::string_view fault_of_name(std::string_view name);
[[nodiscard]] std::string_view fault_of_group(std::string_view name);

}  // namespace stompbox::access

#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/result.h"

// The users file: lines `name:hash`, the hash as `stompbox passwd` makes it; blank lines and lines
// that begin with '#' are left alone. A name has no colon, no blank at its ends and no control
// byte.
namespace stompbox::access {

class Users {
 public:
  // The hash of a user; null for nobody. Lives as long as this.
  [[nodiscard]] const std::string* find_hash(std::string_view name) const;
  [[nodiscard]] std::size_t count() const { return hashes_.size(); }
  [[nodiscard]] std::vector<std::string> names() const;

  // False: the name is there already.
  [[nodiscard]] bool add(std::string name, std::string hash);

 private:
  std::map<std::string, std::string, std::less<>> hashes_;
};

// `source` names the text in errors: "source:line: what is wrong". kInvalid.
[[nodiscard]] storage::Result<Users> parse_users(std::string_view text, std::string_view source);

// What is wrong with a name, as a sentence's end; empty if it can be used.
[[nodiscard]] std::string_view fault_of_name(std::string_view name);

}  // namespace stompbox::access

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/access/options.h"
#include "broker/access/users.h"
#include "storage/result.h"

namespace stompbox::access {

struct LoadedUsers {
  Users users;
  std::vector<std::string> warnings;  // a sentence each
};

// Reads the file whole. kNotFound, kDenied, kIo, kTooLarge; kInvalid names the lines.
[[nodiscard]] storage::Result<LoadedUsers> load_users(const std::string& path);

// All that the options name: the users file, and a foreign one whose users have plain passcodes;
// the first wins where both have a name. A foreign file that is not there has no users.
[[nodiscard]] storage::Result<LoadedUsers> load_users(const AccessOptions& options);

// What members are set is changed.
struct UserChange {
  std::optional<std::string> secret;               // a hash, or kNoPasscode
  std::optional<std::vector<std::string>> groups;  // all of them
};

// What `stompbox passwd` does. The file is written beside itself, synced and renamed: a reader sees
// the old one or the new one. Comments and the order of lines stay. A new file gets mode 0600, an
// existing one keeps mode, owner and group. Two at the same time: the later one wins. kNotFound if
// a user who is not there is to keep the passcode.
[[nodiscard]] storage::Status put_user(const std::string& path, std::string_view name,
                                       const UserChange& change);
// kNotFound if there is no such user.
[[nodiscard]] storage::Status remove_user(const std::string& path, std::string_view name);

}  // namespace stompbox::access

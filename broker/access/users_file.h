#pragma once

#include <string>
#include <string_view>

#include "broker/access/users.h"
#include "storage/result.h"

namespace stompbox::access {

struct LoadedUsers {
  Users users;
  std::string warning;  // one sentence, if others may read the hashes; else empty
};

// Reads the file whole. kNotFound, kDenied, kIo, kTooLarge; kInvalid names the line.
[[nodiscard]] storage::Result<LoadedUsers> load_users(const std::string& path);

// What `stompbox passwd` does. The file is written beside itself, synced and renamed: a reader sees
// the old one or the new one. Comments and the order of lines stay. A new file gets mode 0600, an
// existing one keeps mode, owner and group. Two at the same time: the later one wins.
[[nodiscard]] storage::Status put_user(const std::string& path, std::string_view name,
                                       std::string_view hash);
// kNotFound if there is no such user.
[[nodiscard]] storage::Status remove_user(const std::string& path, std::string_view name);

}  // namespace stompbox::access

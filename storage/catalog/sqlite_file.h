#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "storage/catalog/sqlite_options.h"
#include "storage/result.h"

// The database as a file: making it with the right owner, and knowing it again.
namespace stompbox::catalog {

enum class FileState { kExists, kEmpty, kMade };

// Makes the file with owner, group and mode of the options if there is none, before anything is
// written into it. Errors: kNotFound (no such folder), kDenied, kInvalid (unknown user or group),
// kIo.
[[nodiscard]] storage::Result<FileState> prepare_file(const SqliteOptions& options);

// Whether this process may read and write the file and make -wal, -shm and -journal beside it.
[[nodiscard]] storage::Status check_access(const std::string& path);

// Which file stands at a path now; nothing when there is none.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};
[[nodiscard]] std::optional<FileIdentity> identity_of(const std::string& path);

}  // namespace stompbox::catalog

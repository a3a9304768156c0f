#include "storage/catalog/sqlite_file.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace stompbox::catalog {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::kOk;
using storage::Result;
using storage::Status;

struct Ownership {
  uid_t user = static_cast<uid_t>(-1);  // -1: as it is
  gid_t group = static_cast<gid_t>(-1);
};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

std::string reason() {
  return std::strerror(errno);
}

std::string folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

Result<Ownership> ownership_of(const SqliteOptions& options) {
  Ownership wanted;
  if (options.owner) {
    const passwd* const user = ::getpwnam(options.owner->c_str());
    if (user == nullptr) {
      return Error{ErrorCode::kInvalid, "there is no user " + *options.owner +
                                            " to own the catalog database " + options.path};
    }
    wanted.user = user->pw_uid;
  }
  if (options.group) {
    const group* const found = ::getgrnam(options.group->c_str());
    if (found == nullptr) {
      return Error{ErrorCode::kInvalid, "there is no group " + *options.group +
                                            " to own the catalog database " + options.path};
    }
    wanted.group = found->gr_gid;
  }
  return wanted;
}

Error cannot_make(const std::string& path) {
  const std::string folder = folder_of(path);
  if (errno == ENOENT || errno == ENOTDIR) {
    return {ErrorCode::kNotFound,
            "the folder " + folder + " of the catalog database does not exist: make it first"};
  }
  if (errno == EACCES || errno == EPERM || errno == EROFS) {
    return {ErrorCode::kDenied, "the catalog database " + path + " cannot be made (" + reason() +
                                    "): let this process write the folder " + folder};
  }
  const ErrorCode code = errno == ENOSPC ? ErrorCode::kFull : ErrorCode::kIo;
  return {code, "the catalog database " + path + " cannot be made (" + reason() + ")"};
}

// A file that could not be given away must not stay: the next start would take it as it is.
Status apply_ownership(int fd, const SqliteOptions& options, const Ownership& wanted) {
  if (::fchown(fd, wanted.user, wanted.group) == 0 && ::fchmod(fd, options.mode) == 0) return kOk;
  const Error error{ErrorCode::kDenied,
                    "owner, group or mode of the new catalog database " + options.path +
                        " cannot be set (" + reason() +
                        "): run as root, or as a member of the group, or leave them out"};
  ::unlink(options.path.c_str());
  return error;
}

Status sync_folder(const std::string& path) {
  const std::string folder = folder_of(path);
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0 && ::fsync(fd.get()) == 0) return kOk;
  return Error{ErrorCode::kIo, "the folder " + folder + " cannot be synced (" + reason() + ")"};
}

Result<FileState> make_file(const SqliteOptions& options) {
  const Result<Ownership> wanted = ownership_of(options);
  if (!wanted) return wanted.error();
  const Descriptor fd(::open(options.path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  // Somebody else made it meanwhile: then it is theirs.
  if (fd.get() < 0 && errno == EEXIST) return FileState::kExists;
  if (fd.get() < 0) return cannot_make(options.path);
  if (const Status owned = apply_ownership(fd.get(), options, *wanted); !owned) {
    return owned.error();
  }
  if (const Status synced = sync_folder(options.path); !synced) return synced.error();
  return FileState::kMade;
}

bool may_use(const std::string& path, int mode) {
  return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

Error may_not_use(const std::string& what) {
  return {ErrorCode::kDenied, "this process may not read and write " + what + " (" + reason() +
                                  "): change its owner, group or mode"};
}

}  // namespace

Result<FileState> prepare_file(const SqliteOptions& options) {
  struct stat found {};
  if (::stat(options.path.c_str(), &found) != 0) return make_file(options);
  if (!S_ISREG(found.st_mode)) {
    return Error{ErrorCode::kInvalid, "the catalog database " + options.path +
                                          " is not a file: name a file to keep catalogs in"};
  }
  return found.st_size == 0 ? FileState::kEmpty : FileState::kExists;
}

Status check_access(const std::string& path) {
  if (!may_use(path, R_OK | W_OK)) return may_not_use("the catalog database " + path);
  const std::string folder = folder_of(path);
  if (!may_use(folder, W_OK | X_OK)) {
    return may_not_use("the folder " + folder + " of the catalog database");
  }
  return kOk;
}

std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return FileIdentity{found.st_dev, found.st_ino};
}

}  // namespace stompbox::catalog

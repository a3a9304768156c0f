#include "broker/ready_file.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace stompbox {
namespace {

using storage::Error;
using storage::ErrorCode;

Error system_error(const std::string& what) {
  return {ErrorCode::kIo, what + ": " + std::system_category().message(errno)};
}

bool write_whole(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

Error folder_error(const std::string& what) {
  return {ErrorCode::kDenied, what + "; name a folder of the broker's user with --data"};
}

// Set-group-id, so that what is made there belongs to the group; sticky, so that each only removes
// its own.
storage::Status open_to_group(const std::string& path, const std::string& name) {
  constexpr mode_t kGroupWrites = 03770;
  const group* const found = ::getgrnam(name.c_str());
  if (found == nullptr) return folder_error("there is no group " + name);
  if (::chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0 ||
      ::chmod(path.c_str(), kGroupWrites) != 0) {
    return folder_error("the data folder " + path + " cannot be given to the group " + name + ": " +
                        std::system_category().message(errno));
  }
  return storage::kOk;
}

void print_to(int descriptor, std::string_view line) {
  std::string text(line);
  text += '\n';
  // Nobody to read it is no reason to fail.
  [[maybe_unused]] const bool taken = write_whole(descriptor, text);
}

}  // namespace

storage::Status ReadyFile::write(const std::string& path,
                                 const std::vector<std::string>& listeners) {
  const std::string what = "the ready file " + path + " cannot be written";
  const std::string beside = path + ".new";
  std::string text;
  for (const std::string& listener : listeners)
    text.append(listener).append("\n");
  constexpr mode_t kMode = 0644;
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode);
  if (file < 0) return system_error(what);
  struct stat status = {};
  const bool whole = write_whole(file, text) && ::fstat(file, &status) == 0;
  if (::close(file) != 0 || !whole || ::rename(beside.c_str(), path.c_str()) != 0) {
    const Error error = system_error(what);
    ::unlink(beside.c_str());
    return error;
  }
  path_ = path;
  device_ = status.st_dev;
  number_ = status.st_ino;
  return storage::kOk;
}

void ReadyFile::remove() {
  struct stat now = {};
  const bool ours = !path_.empty() && ::lstat(path_.c_str(), &now) == 0 && now.st_dev == device_ &&
                    now.st_ino == number_;
  if (ours) ::unlink(path_.c_str());
  path_.clear();
}

storage::Status make_data_folder(const std::string& path,
                                 const std::optional<std::string>& writers) {
  constexpr mode_t kOthersNothing = 0027;
  std::error_code error;
  const mode_t before = ::umask(kOthersNothing);
  const bool is_new = std::filesystem::create_directories(path, error);
  ::umask(before);
  if (error) {
    return folder_error("the data folder " + path + " cannot be made: " + error.message());
  }
  if (is_new && writers) {
    if (auto status = open_to_group(path, *writers); !status) return status;
  }
  if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0) {
    return folder_error("the data folder " + path +
                        " cannot be written: " + std::system_category().message(errno));
  }
  return storage::kOk;
}

void print_line(std::string_view line) {
  print_to(STDOUT_FILENO, line);
}

void print_error(std::string_view line) {
  print_to(STDERR_FILENO, line);
}

}  // namespace stompbox

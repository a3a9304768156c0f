#include "broker/access/users_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "broker/access/passwords.h"

namespace stompbox::access {
namespace {

using storage::Error;
using storage::ErrorCode;

constexpr std::size_t kFileBytesMax = 16 * 1024 * 1024;

Error system_error(const std::string& what) {
  const int number = errno;
  const ErrorCode code = number == ENOENT                      ? ErrorCode::kNotFound
                         : number == EACCES || number == EPERM ? ErrorCode::kDenied
                                                               : ErrorCode::kIo;
  return Error{code, what + ": " + std::system_category().message(number)};
}

// Closes what it holds.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }

 private:
  const int number_;
};

struct FileText {
  std::string text;
  struct stat status {};
};

storage::Result<FileText> read_file(const std::string& path) {
  const std::string what = "the users file " + path + " cannot be read";
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  FileText read;
  if (file.get() < 0 || ::fstat(file.get(), &read.status) != 0) return system_error(what);
  char chunk[16 * 1024];
  for (;;) {
    const ssize_t count = ::read(file.get(), chunk, sizeof chunk);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error(what);
    if (count == 0) return read;
    read.text.append(chunk, static_cast<std::size_t>(count));
    if (read.text.size() > kFileBytesMax) {
      return Error{ErrorCode::kTooLarge, what + ": it has more than 16 MiB"};
    }
  }
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

// Gives the new file what the old one had. Only root may give files away: failure to is no fault.
bool take_over_owner(int descriptor, const struct stat& old) {
  if (::fchown(descriptor, old.st_uid, old.st_gid) != 0 && errno != EPERM) return false;
  return ::fchmod(descriptor, old.st_mode & 07777U) == 0;
}

bool sync_folder_of(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.get() >= 0 && ::fsync(opened.get()) == 0;
}

storage::Status replace_file(const std::string& path, std::string_view text,
                             const std::optional<struct stat>& old) {
  const std::string what = "the users file " + path + " cannot be written";
  std::string beside = path + ".XXXXXX";
  const Descriptor file(::mkostemp(beside.data(), O_CLOEXEC));  // mode 0600
  if (file.get() < 0) return system_error(what);
  const bool whole = (!old || take_over_owner(file.get(), *old)) && write_whole(file.get(), text) &&
                     ::fsync(file.get()) == 0 && ::rename(beside.c_str(), path.c_str()) == 0;
  if (!whole) {
    const Error error = system_error(what);
    ::unlink(beside.c_str());
    return error;
  }
  if (!sync_folder_of(path)) return system_error(what);
  return storage::kOk;
}

// The text with the line of `name` replaced by `line`, or without it; says whether it was there.
struct Edited {
  std::string text;
  bool found = false;
};

Edited edit(std::string_view text, std::string_view name, std::string_view line) {
  Edited edited;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view old = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const bool is_it = old.starts_with(name) && old.substr(name.size()).starts_with(':');
    const std::string_view kept = is_it ? line : old;
    if (!is_it || !line.empty()) edited.text.append(kept).append("\n");
    edited.found = edited.found || is_it;
  }
  return edited;
}

storage::Status check_text(const FileText& file, const std::string& path) {
  const auto users = parse_users(file.text, path);
  if (!users) return users.error();
  return storage::kOk;
}

}  // namespace

storage::Result<LoadedUsers> load_users(const std::string& path) {
  const auto file = read_file(path);
  if (!file) return file.error();
  auto users = parse_users(file->text, path);
  if (!users) return users.error();
  LoadedUsers loaded{std::move(*users), {}};
  if ((file->status.st_mode & S_IROTH) != 0) {
    loaded.warning = "everybody on this machine can read the users file " + path +
                     ": 'chmod o-r' keeps its hashes to those who need them";
  }
  return loaded;
}

storage::Status put_user(const std::string& path, std::string_view name, std::string_view hash) {
  if (const std::string_view fault = fault_of_name(name); !fault.empty()) {
    return Error{ErrorCode::kInvalid, std::string(fault)};
  }
  assert(is_password_hash(std::string(hash)));
  const std::string line = std::string(name).append(":").append(hash);
  auto file = read_file(path);
  if (!file && file.error().code == ErrorCode::kNotFound) {
    return replace_file(path, line + "\n", std::nullopt);
  }
  if (!file) return file.error();
  if (auto status = check_text(*file, path); !status) return status;
  Edited edited = edit(file->text, name, line);
  if (!edited.found) edited.text.append(line).append("\n");
  return replace_file(path, edited.text, file->status);
}

storage::Status remove_user(const std::string& path, std::string_view name) {
  const auto file = read_file(path);
  if (!file) return file.error();
  if (auto status = check_text(*file, path); !status) return status;
  const Edited edited = edit(file->text, name, {});
  if (!edited.found) {
    return Error{ErrorCode::kNotFound,
                 "the users file " + path + " has no user " + std::string(name)};
  }
  return replace_file(path, edited.text, file->status);
}

}  // namespace stompbox::access

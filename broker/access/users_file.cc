#include "broker/access/users_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <utility>

#include "broker/access/passwords.h"
#include "broker/access/plain_users.h"
#include "broker/access/text_file.h"

namespace stompbox::access {
namespace {

using storage::Error;
using storage::ErrorCode;

storage::Result<FileText> read_file(const std::string& path) {
  return read_text_file(path, "the users file");
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

std::optional<std::string> warning_of_mode(const FileText& file, const std::string& path,
                                           std::string_view secrets) {
  if ((file.status.st_mode & S_IROTH) == 0) return std::nullopt;
  return "everybody on this machine can read the users file " + path + ": 'chmod o-r' keeps its " +
         std::string(secrets) + " to those who need them";
}

// The line that a change makes of what stands there; `now` is null for a new user.
storage::Result<std::string> changed_line(const std::string& path, std::string_view name,
                                          const User* now, const UserChange& change) {
  if (!change.secret && now == nullptr) {
    return Error{ErrorCode::kNotFound,
                 "the users file " + path + " has no user " + std::string(name)};
  }
  const std::string kept = now == nullptr                   ? std::string()
                           : now->kind == SecretKind::kNone ? std::string(kNoPasscode)
                                                            : now->secret;
  const std::vector<std::string> groups = now == nullptr ? std::vector<std::string>() : now->groups;
  return line_of(name, change.secret.value_or(kept), change.groups.value_or(groups));
}

storage::Status check_change(std::string_view name, const UserChange& change) {
  if (const std::string_view fault = fault_of_name(name); !fault.empty()) {
    return Error{ErrorCode::kInvalid, std::string(fault)};
  }
  for (const std::string& group : change.groups.value_or(std::vector<std::string>())) {
    if (const std::string_view fault = fault_of_group(group); !fault.empty()) {
      return Error{ErrorCode::kInvalid, std::string(fault)};
    }
  }
  assert(!change.secret || *change.secret == kNoPasscode || is_password_hash(*change.secret));
  return storage::kOk;
}

}  // namespace

storage::Result<LoadedUsers> load_users(const std::string& path) {
  const auto file = read_file(path);
  if (!file) return file.error();
  auto users = parse_users(file->text, path);
  if (!users) return users.error();
  LoadedUsers loaded{std::move(*users), {}};
  if (auto warning = warning_of_mode(*file, path, "hashes")) loaded.warnings.push_back(*warning);
  return loaded;
}

storage::Result<LoadedUsers> load_users(const AccessOptions& options) {
  LoadedUsers loaded;
  if (!options.users_file.empty()) {
    auto own = load_users(options.users_file);
    if (!own) return own.error();
    loaded = std::move(*own);
  }
  const std::string& path = options.plain_users_file;
  if (path.empty()) return loaded;
  const auto file = read_file(path);
  if (!file && file.error().code == ErrorCode::kNotFound) {
    loaded.warnings.push_back("there is no users file " + path + ": nobody can log in by it");
    return loaded;
  }
  if (!file) return file.error();
  PlainUsers plain = parse_plain_users(file->text, path, options.plain_users_format);
  loaded.users.add_missing(plain.users);
  for (std::string& warning : plain.warnings)
    loaded.warnings.push_back(std::move(warning));
  loaded.warnings.push_back("the passcodes in " + path +
                            " stand there as they are: 'stompbox passwd' makes a users file of "
                            "hashes, for --users");
  if (auto warning = warning_of_mode(*file, path, "passcodes")) loaded.warnings.push_back(*warning);
  return loaded;
}

storage::Status put_user(const std::string& path, std::string_view name, const UserChange& change) {
  if (auto status = check_change(name, change); !status) return status;
  auto file = read_file(path);
  const bool is_new = !file && file.error().code == ErrorCode::kNotFound;
  if (!file && !is_new) return file.error();
  const std::string text = is_new ? std::string() : file->text;
  const auto users = parse_users(text, path);
  if (!users) return users.error();
  const auto line = changed_line(path, name, users->find(name), change);
  if (!line) return line.error();
  Edited edited = edit(text, name, *line);
  if (!edited.found) edited.text.append(*line).append("\n");
  return replace_file(path, edited.text, is_new ? std::nullopt : std::optional(file->status));
}

storage::Status remove_user(const std::string& path, std::string_view name) {
  const auto file = read_file(path);
  if (!file) return file.error();
  if (const auto users = parse_users(file->text, path); !users) return users.error();
  const Edited edited = edit(file->text, name, {});
  if (!edited.found) {
    return Error{ErrorCode::kNotFound,
                 "the users file " + path + " has no user " + std::string(name)};
  }
  return replace_file(path, edited.text, file->status);
}

}  // namespace stompbox::access

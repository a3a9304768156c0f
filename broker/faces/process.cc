#include "broker/faces/process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "broker/faces/whole_file.h"

namespace stompbox::faces {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::Status;

constexpr int kFailed = 1;
constexpr std::size_t kPidBytesMax = 32;

Error system_error(const std::string& what) {
  return {errno == EACCES || errno == EPERM ? ErrorCode::kDenied : ErrorCode::kIo,
          what + ": " + std::system_category().message(errno)};
}

template <typename Id>
std::optional<Id> to_id(const std::string& text) {
  Id id = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

struct Account {
  uid_t user = ::geteuid();
  gid_t group = ::getegid();
  std::string name;  // of the user, for its further groups
};

storage::Result<Account> find_account(const std::string& user, const std::string& group) {
  Account account;
  if (!user.empty()) {
    const passwd* entry = ::getpwnam(user.c_str());
    const auto number = to_id<uid_t>(user);
    if (entry == nullptr && number) entry = ::getpwuid(*number);
    if (entry == nullptr && !number) {
      return Error{ErrorCode::kNotFound, "there is no user " + user};
    }
    account.user = entry != nullptr ? entry->pw_uid : *number;
    if (entry != nullptr) account.name = entry->pw_name;
    if (entry != nullptr && group.empty()) account.group = entry->pw_gid;
  }
  if (group.empty()) return account;
  const ::group* const entry = ::getgrnam(group.c_str());
  const auto number = to_id<gid_t>(group);
  if (entry == nullptr && !number) return Error{ErrorCode::kNotFound, "there is no group " + group};
  account.group = entry != nullptr ? entry->gr_gid : *number;
  return account;
}

// Those of the user instead of ours; a number without a name has none.
bool take_further_groups(const Account& account) {
  if (account.name.empty()) return ::setgroups(1, &account.group) == 0;
  return ::initgroups(account.name.c_str(), account.group) == 0;
}

// A pid file or the like that was left behind must not be taken for the whole of a new one.
Status write_replacing(const std::string& path, const std::string& text) {
  constexpr mode_t kMode = 0644;
  const std::string what = path + " cannot be written";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode);
  if (file < 0) return system_error(what);
  const ssize_t written = ::write(file, text.data(), text.size());
  const bool whole = written == static_cast<ssize_t>(text.size());
  if (::close(file) != 0 || !whole) return system_error(what);
  return storage::kOk;
}

// Whether the daemon told that it is ready before it ended.
bool wait_for_word(int pipe) {
  char word = 0;
  ssize_t count = 0;
  do {
    count = ::read(pipe, &word, 1);
  } while (count < 0 && errno == EINTR);
  return count == 1;
}

Status point_streams(const std::string& output_file) {
  constexpr mode_t kMode = 0640;
  const std::string output = output_file.empty() ? "/dev/null" : output_file;
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int file = ::open(output.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kMode);
  if (file < 0) return system_error(output + " cannot be opened");
  if (nothing < 0 || ::dup2(nothing, STDIN_FILENO) < 0 || ::dup2(file, STDOUT_FILENO) < 0) {
    return system_error("the standard streams cannot be given away");
  }
  ::close(nothing);
  ::close(file);
  return storage::kOk;
}

}  // namespace

Status become(const std::string& user, const std::string& group) {
  if (user.empty() && group.empty()) return storage::kOk;
  const auto account = find_account(user, group);
  if (!account) return account.error();
  if (account->user == ::geteuid() && account->group == ::getegid()) return storage::kOk;
  const bool group_done = account->group == ::getegid() || ::setgid(account->group) == 0;
  const bool all_groups_done = group_done && (::geteuid() != 0 || take_further_groups(*account));
  if (all_groups_done && (account->user == ::geteuid() || ::setuid(account->user) == 0)) {
    return storage::kOk;
  }
  return system_error("FAILED to change user:group to " + user + ":" + group);
}

Status make_folders(const std::vector<std::string>& folders) {
  constexpr mode_t kMode = 0755;
  for (const std::string& folder : folders) {
    if (::mkdir(folder.c_str(), kMode) == 0 || errno == EEXIST) continue;
    return system_error("the folder " + folder + " cannot be made");
  }
  return storage::kOk;
}

Status write_pid_file(const std::string& path) {
  if (path.empty()) return storage::kOk;
  return write_replacing(path, std::to_string(::getpid()));
}

void remove_pid_file(const std::string& path) {
  if (path.empty()) return;
  const auto text = read_whole_file(path, kPidBytesMax);
  if (text && *text == std::to_string(::getpid())) ::unlink(path.c_str());
}

storage::Result<Split> split_off(const ProcessPlan& plan) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("no pipe can be made");
  const pid_t child = ::fork();
  if (child < 0) return system_error("the process cannot go to the background");
  if (child > 0) {
    ::close(ends[1]);
    int state = 0;
    while (::waitpid(child, &state, 0) < 0 && errno == EINTR) {
    }
    return Split{std::nullopt, wait_for_word(ends[0]) ? 0 : kFailed};
  }
  ::close(ends[0]);
  ::setsid();
  const pid_t daemon = ::fork();
  if (daemon != 0) ::_exit(daemon < 0 ? kFailed : 0);
  if (!plan.working_folder.empty() && ::chdir(plan.working_folder.c_str()) != 0) {
    return system_error("the folder " + plan.working_folder + " cannot be entered");
  }
  if (auto status = point_streams(plan.output_file); !status) return status.error();
  return Split{Daemon(ends[1]), 0};
}

void Daemon::tell_ready() {
  ::dup2(STDOUT_FILENO, STDERR_FILENO);
  constexpr char kReady = 'r';
  // If nobody waits for it any more, nobody misses it.
  [[maybe_unused]] const ssize_t told = ::write(ready_pipe_, &kReady, 1);
  ::close(ready_pipe_);
}

}  // namespace stompbox::faces

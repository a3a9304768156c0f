#include "broker/lifelines.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace stompbox {
namespace {

using storage::Error;
using storage::ErrorCode;

// Asked for before main begins.
const pid_t kFirstParent = ::getppid();

// As glibc has it from 2.36 on: a file that is readable when the process has ended.
int open_process(pid_t process) {
  return static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
}

// A terminal is opened anew: our way of reading must not change that of the shell that shares it.
int open_input() {
  const int own =
      ::isatty(STDIN_FILENO) != 0 ? ::open("/proc/self/fd/0", O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
  return own >= 0 ? own : ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
}

bool may_close() {
  struct stat input = {};
  if (::fstat(STDIN_FILENO, &input) != 0) return false;
  return S_ISFIFO(input.st_mode) || S_ISSOCK(input.st_mode) || ::isatty(STDIN_FILENO) != 0;
}

}  // namespace

Lifelines::Lifelines(asio::io_context& io, OnCut on_cut)
    : on_cut_(std::move(on_cut)), parent_(io), input_(io) {}

pid_t first_parent() {
  return kFirstParent;
}

storage::Status Lifelines::hold_parent(pid_t parent) {
  if (::getppid() != parent) {
    cut("parent");
    return storage::kOk;
  }
  const int process = parent > 0 ? open_process(parent) : -1;
  if (process < 0) {
    return Error{ErrorCode::kUnavailable,
                 "--exit-with-parent does not work here: the parent cannot be watched (" +
                     std::generic_category().message(parent > 0 ? errno : ESRCH) +
                     "); --exit-when-stdin-closes may"};
  }
  parent_.assign(process);
  await_parent();
  // It may have died between the two calls, and its number may mean another.
  if (::getppid() != parent) cut("parent");
  return storage::kOk;
}

storage::Status Lifelines::hold_input() {
  const int input = may_close() ? open_input() : -1;
  if (input < 0) {
    return Error{ErrorCode::kInvalid,
                 "--exit-when-stdin-closes needs a standard input that somebody can close, a pipe "
                 "or a terminal"};
  }
  input_.assign(input);
  await_input();
  return storage::kOk;
}

void Lifelines::let_go() {
  std::error_code ignored;  // what cannot be closed well is not watched any more all the same
  parent_.close(ignored);
  input_.close(ignored);
}

void Lifelines::await_parent() {
  parent_.async_wait(asio::posix::stream_descriptor::wait_read, [this](std::error_code error) {
    if (!error) cut("parent");
  });
}

void Lifelines::await_input() {
  input_.async_wait(asio::posix::stream_descriptor::wait_read, [this](std::error_code error) {
    if (error) return;
    std::array<char, 4096> scratch;
    const ssize_t size = ::read(input_.native_handle(), scratch.data(), scratch.size());
    const bool goes_on = size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
    if (goes_on) return await_input();
    cut("input");
  });
}

void Lifelines::cut(std::string_view reason) {
  let_go();
  if (const OnCut on_cut = std::exchange(on_cut_, nullptr)) on_cut(reason);
}

}  // namespace stompbox

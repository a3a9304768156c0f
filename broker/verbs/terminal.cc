#include "broker/verbs/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace stompbox::verbs {
namespace {

Written write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd entry{file, POLLOUT, 0};
      static_cast<void>(::poll(&entry, 1, -1));  // a failure shows at the next write
    } else if (errno != EINTR) {
      return Written::kNobodyReads;
    }
  }
  return Written::kYes;
}

storage::Result<std::string> read_all(int file, const std::string& name, std::size_t bytes_max) {
  std::string text;
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    const ssize_t size = ::read(file, buffer.data(), buffer.size());
    if (size == 0) return text;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      return storage::Error{storage::ErrorCode::kIo,
                            "cannot read " + name + ": " + std::generic_category().message(errno)};
    }
    text.append(buffer.data(), static_cast<std::size_t>(size));
    if (text.size() > bytes_max) {
      return storage::Error{storage::ErrorCode::kTooLarge,
                            name + " has more than " + std::to_string(bytes_max) + " bytes"};
    }
  }
}

// Switches the echo of standard input off for its life.
class Hidden {
 public:
  Hidden() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    changed_ = true;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  ~Hidden() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;

 private:
  termios before_{};
  bool changed_ = false;
};

}  // namespace

Written print(std::string_view text) {
  return write_all(STDOUT_FILENO, text);
}

void complain(std::string_view sentence) {
  const std::string line = "stompbox: " + std::string(sentence) + "\n";
  write_all(STDERR_FILENO, line);
}

void tell_progress(std::string_view line) {
  if (::isatty(STDERR_FILENO) != 1) return;
  write_all(STDERR_FILENO, "\r\x1b[K" + std::string(line) + "\r");
}

Exit fail(const storage::Error& error) {
  complain(error.text);
  return error.code == storage::ErrorCode::kInvalid ? Exit::kMisuse : Exit::kFailed;
}

bool input_is_terminal() {
  return ::isatty(STDIN_FILENO) == 1;
}

storage::Result<std::string> read_input(std::size_t bytes_max) {
  return read_all(STDIN_FILENO, "standard input", bytes_max);
}

storage::Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    const auto code = errno == ENOENT ? storage::ErrorCode::kNotFound : storage::ErrorCode::kIo;
    return storage::Error{code,
                          "cannot open " + path + ": " + std::generic_category().message(errno)};
  }
  auto text = read_all(file, path, bytes_max);
  ::close(file);
  return text;
}

storage::Result<std::string> ask_secret(std::string_view prompt) {
  const Hidden hidden;
  write_all(STDERR_FILENO, prompt);
  std::string line;
  char c = 0;
  while (::read(STDIN_FILENO, &c, 1) == 1 && c != '\n' && line.size() < 4096)
    line.push_back(c);
  write_all(STDERR_FILENO, "\n");
  if (c != '\n') {
    return storage::Error{storage::ErrorCode::kInvalid, "nothing was typed: nothing is changed"};
  }
  return line;
}

}  // namespace stompbox::verbs

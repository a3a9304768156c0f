#include "broker/control/ask.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "broker/control/socket_path.h"

namespace stompbox::control {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kAnswerBytesMax = 512UL * 1024 * 1024;

class Socket {
 public:
  explicit Socket(int file) : file_(file) {}
  ~Socket() {
    if (file_ >= 0) ::close(file_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int file() const { return file_; }

 private:
  const int file_;
};

storage::Error io_error(const std::string& what, int error) {
  return {storage::ErrorCode::kIo, what + ": " + std::generic_category().message(error)};
}

storage::Error connect_error(const std::string& path, int error) {
  if (error == ENOENT || error == ECONNREFUSED) {
    return {storage::ErrorCode::kUnavailable, "nobody answers at " + path};
  }
  if (error == EACCES || error == EPERM) {
    return {storage::ErrorCode::kDenied, "the broker at " + path +
                                             " may be asked by its own user and by root only: "
                                             "run this as one of them"};
  }
  return io_error("cannot reach the broker at " + path, error);
}

// Until the socket is ready or the time is up.
storage::Status wait_for(const Socket& socket, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      return storage::Error{storage::ErrorCode::kBusy,
                            "the broker has not answered in time; it may be very busy"};
    }
    pollfd entry{socket.file(), events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(left.count()));
    if (ready > 0) return storage::kOk;
    if (ready < 0 && errno != EINTR) return io_error("waiting for the broker failed", errno);
  }
}

storage::Status send_all(const Socket& socket, std::string_view bytes, Clock::time_point deadline) {
  while (!bytes.empty()) {
    if (auto ready = wait_for(socket, POLLOUT, deadline); !ready) return ready;
    const ssize_t sent = ::send(socket.file(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return io_error("asking failed", errno);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return storage::kOk;
}

storage::Result<std::string> receive_line(const Socket& socket, Clock::time_point deadline) {
  std::string line;
  std::array<char, 64 * 1024> buffer{};
  while (line.size() < kAnswerBytesMax) {
    if (auto ready = wait_for(socket, POLLIN, deadline); !ready) return ready.error();
    const ssize_t size = ::recv(socket.file(), buffer.data(), buffer.size(), 0);
    if (size < 0 && errno != EAGAIN && errno != EINTR) {
      return io_error("the broker's answer failed", errno);
    }
    if (size == 0) break;
    if (size > 0) line.append(buffer.data(), static_cast<std::size_t>(size));
    if (line.ends_with('\n')) {
      line.pop_back();
      return line;
    }
  }
  return storage::Error{storage::ErrorCode::kUnavailable,
                        "the broker ended the conversation without an answer"};
}

}  // namespace

storage::Result<std::string> ask(const std::string& socket_path, std::string_view request,
                                 std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  const auto path = SocketPath::make(socket_path);
  if (!path) {
    if (path.error().code != storage::ErrorCode::kNotFound) return path.error();
    return connect_error(socket_path, ENOENT);
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path->text().data(), path->text().size());
  const Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.file() < 0) return io_error("cannot make a socket", errno);
  if (::connect(socket.file(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return connect_error(socket_path, errno);
  }
  if (auto sent = send_all(socket, std::string(request) + "\n", deadline); !sent) {
    return sent.error();
  }
  return receive_line(socket, deadline);
}

}  // namespace stompbox::control

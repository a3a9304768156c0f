#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <stdexcept>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include "tests/conformance/transport.h"

namespace stompbox::conformance {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kFairClose{10'000};

class SocketConnection final : public Connection {
 public:
  explicit SocketConnection(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int one = 1;
    (void)::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      throw std::system_error(errno, std::generic_category(), "connect");
    }
  }
  ~SocketConnection() override { drop(); }
  SocketConnection(const SocketConnection&) = delete;
  SocketConnection& operator=(const SocketConnection&) = delete;

  // A broker that has closed is found out when its answer is missing.
  void send(const std::string& bytes) override {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t count = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count < 0) return;
      sent += static_cast<std::size_t>(count);
    }
  }
  void end_sending() override { ::shutdown(socket_, SHUT_WR); }
  void drop() override {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  bool receive(std::string& bytes, milliseconds patience) override {
    if (closed_ || socket_ < 0) return false;
    pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(patience.count())) <= 0) return false;
    std::array<char, 65536> buffer;
    const ssize_t count = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (count <= 0) {
      closed_ = true;
      return false;
    }
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
  }
  bool wait_for_close(std::string& bytes) override {
    const auto end = Clock::now() + kFairClose;
    while (!closed_) {
      const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
      if (left.count() <= 0 || !receive(bytes, left)) break;
    }
    return closed_;
  }

 private:
  int socket_;
  bool closed_ = false;
};

class Sockets final : public Broker {
 public:
  explicit Sockets(int port) : port_(port) {}
  std::unique_ptr<Connection> connect() override {
    return std::make_unique<SocketConnection>(port_);
  }
  void wait(milliseconds duration) override {
    (void)::poll(nullptr, 0, static_cast<int>(duration.count()));
  }
  void stop() override { throw std::logic_error("the daemon of all cases is not stopped"); }

 private:
  const int port_;
};

}  // namespace

std::unique_ptr<Broker> make_socket_broker(int port) {
  return std::make_unique<Sockets>(port);
}

}  // namespace stompbox::conformance

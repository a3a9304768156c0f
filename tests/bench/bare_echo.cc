#include "tests/bench/bare_echo.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "tests/bench/load_peer.h"

namespace stompbox::bench {
namespace {

// A connected pair over loopback TCP.
std::pair<int, int> connect_pair() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const int one_end = ::socket(AF_INET, SOCK_STREAM, 0);
  auto* const where = reinterpret_cast<sockaddr*>(&address);
  const bool works = ::bind(listener, where, size) == 0 && ::listen(listener, 1) == 0 &&
                     ::getsockname(listener, where, &size) == 0 &&
                     ::connect(one_end, where, size) == 0;
  const int other_end = works ? ::accept(listener, nullptr, nullptr) : -1;
  if (other_end < 0) give_up("no loopback connection for the bare echo");
  ::close(listener);
  const int on = 1;
  ::setsockopt(one_end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(other_end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return {one_end, other_end};
}

// Until one of the two ends closes.
void relay(int left, int right) {
  std::array<char, 64 * 1024> buffer{};
  std::array<pollfd, 2> polled{pollfd{left, POLLIN, 0}, pollfd{right, POLLIN, 0}};
  for (;;) {
    ::poll(polled.data(), polled.size(), -1);
    for (std::size_t i = 0; i < 2; ++i) {
      if (polled[i].revents == 0) continue;
      const ssize_t count = ::recv(polled[i].fd, buffer.data(), buffer.size(), 0);
      if (count <= 0) return;
      (void)::send(polled[1 - i].fd, buffer.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL);
    }
  }
}

void echo(int socket) {
  std::array<char, 64 * 1024> buffer{};
  for (;;) {
    const ssize_t count = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (count <= 0) return;
    (void)::send(socket, buffer.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL);
  }
}

}  // namespace

std::vector<double> time_bare_echo(std::uint64_t count, std::size_t bytes) {
  const auto [client, relay_left] = connect_pair();
  const auto [relay_right, server] = connect_pair();
  const pid_t relaying = ::fork();
  if (relaying == 0) {
    ::close(client);
    ::close(server);
    relay(relay_left, relay_right);
    ::_exit(0);
  }
  const pid_t echoing = ::fork();
  if (echoing == 0) {
    ::close(client);
    ::close(relay_left);
    ::close(relay_right);
    echo(server);
    ::_exit(0);
  }
  ::close(relay_left);
  ::close(relay_right);
  ::close(server);
  std::vector<double> times_us;
  std::string text(bytes, 'x');
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto start = std::chrono::steady_clock::now();
    (void)::send(client, text.data(), text.size(), MSG_NOSIGNAL);
    (void)::recv(client, text.data(), text.size(), MSG_WAITALL);
    times_us.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
            .count());
  }
  ::close(client);
  ::waitpid(relaying, nullptr, 0);
  ::waitpid(echoing, nullptr, 0);
  return times_us;
}

}  // namespace stompbox::bench

#include "broker/client/wire.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace stompbox::client {
namespace {

constexpr int kTimeIsUp = ETIMEDOUT;

struct AddressesFree {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesFree>;

std::string text_of(int error) {
  return std::generic_category().message(error);
}

storage::Error lost(int error) {
  return {storage::ErrorCode::kUnavailable,
          "the connection to the broker broke: " + text_of(error)};
}

storage::Result<Addresses> look_up(const BrokerUrl& url) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &found);
  if (error != 0) {
    return storage::Error{storage::ErrorCode::kUnavailable,
                          "there is no host '" + url.host + "': " + ::gai_strerror(error)};
  }
  return Addresses(found);
}

// The events that are there; 0 when the time is up, -errno on failure.
int wait_for(int file, short events, Deadline deadline) {
  using std::chrono::milliseconds;
  for (;;) {
    const auto left =
        std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd entry{file, events, 0};
    const int timeout = static_cast<int>(std::clamp<decltype(left)>(left, 0, 1'000'000));
    const int ready = ::poll(&entry, 1, timeout);
    if (ready > 0) return entry.revents;
    if (ready < 0 && errno != EINTR) return -errno;
    if (ready == 0 && left <= timeout) return 0;
  }
}

// 0, or an errno.
int connect_one(int file, const addrinfo& address, Deadline deadline) {
  if (::connect(file, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  const int ready = wait_for(file, POLLOUT, deadline);
  if (ready <= 0) return ready == 0 ? kTimeIsUp : -ready;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(file, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

storage::Error connect_error(const BrokerUrl& url, int error) {
  if (error == ECONNREFUSED) {
    return {storage::ErrorCode::kUnavailable, "no broker listens on " + to_text(url)};
  }
  return {storage::ErrorCode::kUnavailable, "cannot reach " + to_text(url) + ": " + text_of(error)};
}

}  // namespace

storage::Result<Wire> Wire::connect(const BrokerUrl& url, const TlsTrust& trust,
                                    Deadline deadline) {
  auto wire = open(url, deadline);
  if (!wire || url.transport == Transport::kPlain) return wire;
  if (auto status = wire->begin_tls(url, trust, deadline); !status) return status.error();
  return wire;
}

storage::Status Wire::begin_tls(const BrokerUrl& url, const TlsTrust& trust, Deadline deadline) {
  auto tls = TlsClient::make(url.host, trust);
  if (!tls) return tls.error();
  for (;;) {
    std::string out;
    const auto step = tls->shake_hands(out);
    const auto feed = [&tls](std::string_view came) { tls->feed(came); };
    auto sent = send_bytes(out, feed, deadline);
    if (!step) return step.error();
    if (!sent) return sent;
    if (*step == TlsClient::Handshake::kDone) break;
    const int ready = wait_for(file_, POLLIN, deadline);
    if (ready <= 0) return lost(ready == 0 ? kTimeIsUp : -ready);
    const auto came = read_bytes(feed);
    if (!came) return came.error();
    if (*came == Came::kEnd) {
      return storage::Error{storage::ErrorCode::kIo,
                            to_text(url) +
                                " closed the connection in the TLS handshake: does it "
                                "speak TLS there?"};
    }
  }
  tls_ = std::move(*tls);
  return storage::kOk;
}

storage::Result<Wire> Wire::open(const BrokerUrl& url, Deadline deadline) {
  const auto addresses = look_up(url);
  if (!addresses) return addresses.error();
  int error = ECONNREFUSED;
  for (const addrinfo* at = addresses->get(); at != nullptr; at = at->ai_next) {
    const int file =
        ::socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);
    if (file < 0) {
      error = errno;
      continue;
    }
    Wire wire(file);
    error = connect_one(file, *at, deadline);
    if (error != 0) continue;
    const int on = 1;
    // Without it frames are only a little later.
    static_cast<void>(::setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    return wire;
  }
  return connect_error(url, error);
}

Wire::Wire(Wire&& other) noexcept
    : file_(std::exchange(other.file_, -1)), tls_(std::move(other.tls_)) {}

Wire& Wire::operator=(Wire&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(tls_, other.tls_);
  return *this;
}

Wire::~Wire() {
  if (file_ >= 0) ::close(file_);
}

storage::Status Wire::send(std::string_view bytes, const Sink& sink, Deadline deadline) {
  if (!tls_) return send_bytes(bytes, sink, deadline);
  std::string sealed;
  if (auto status = tls_->seal(bytes, sealed); !status) return status;
  return send_bytes(sealed, sink, deadline);
}

storage::Status Wire::send_bytes(std::string_view bytes, const Sink& sink, Deadline deadline) {
  bool may_read = true;  // until the broker has ended its side
  while (!bytes.empty()) {
    const int ready =
        wait_for(file_, static_cast<short>(may_read ? POLLIN | POLLOUT : POLLOUT), deadline);
    if (ready <= 0) return ready == 0 ? lost(kTimeIsUp) : lost(-ready);
    if (may_read && (ready & POLLIN) != 0) {
      const auto came = tls_ ? read_once(sink) : read_bytes(sink);
      if (!came) return came.error();
      may_read = *came != Came::kEnd;
    }
    if ((ready & (POLLOUT | POLLERR | POLLHUP)) == 0) continue;
    const ssize_t sent = ::send(file_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return lost(errno);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return storage::kOk;
}

storage::Result<Wire::Came> Wire::receive(const Sink& sink, Deadline deadline) {
  const int ready = wait_for(file_, POLLIN, deadline);
  if (ready < 0) return lost(-ready);
  if (ready == 0) return Came::kNothing;
  return read_once(sink);
}

storage::Result<Wire::Came> Wire::read_once(const Sink& sink) {
  if (!tls_) return read_bytes(sink);
  const auto came = read_bytes([this](std::string_view bytes) { tls_->feed(bytes); });
  if (!came) return came;
  const auto end = tls_->open(sink);
  if (!end) return end.error();
  return *end == TlsClient::End::kOrderly ? Came::kEnd : *came;
}

storage::Result<Wire::Came> Wire::read_bytes(const Sink& sink) const {
  std::array<char, 64 * 1024> buffer;
  const ssize_t size = ::recv(file_, buffer.data(), buffer.size(), 0);
  if (size == 0) return Came::kEnd;
  if (size < 0) {
    if (errno == EAGAIN || errno == EINTR) return Came::kBytes;  // none yet: ask again
    return lost(errno);
  }
  sink({buffer.data(), static_cast<std::size_t>(size)});
  return Came::kBytes;
}

}  // namespace stompbox::client

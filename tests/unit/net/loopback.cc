#include "tests/unit/net/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <doctest/doctest.h>

namespace stompbox::net::testing {

std::string OpenPorter::arrive(const Visitor&) {
  if (refusal.empty()) ++inside;
  return refusal;
}

void OpenPorter::leave(const Visitor&) {
  --inside;
}

void OpenPorter::denied(const Visitor&, std::string_view, const session::Denial&) {}

void OpenPorter::check(const Visitor& visitor, const session::Credentials& credentials,
                       Answer answer) {
  hosts.push_back(visitor.host);
  if (answers) {
    answer({session::LoginResult::kWelcome, std::string(credentials.login), nullptr});
  } else {
    waiting.push_back(std::move(answer));
  }
}

std::chrono::milliseconds OpenPorter::error_hold(const std::string&) {
  return hold;
}

namespace {

ListenerOptions on_free_port(ListenerOptions listener) {
  listener.address.host = "127.0.0.1";
  listener.address.port = 0;
  return listener;
}

ListenerOptions plain(const session::SessionOptions& session) {
  ListenerOptions listener;
  listener.session = session;
  return listener;
}

}  // namespace

Loopback::Loopback(const NetOptions& options, const session::SessionOptions& session)
    : Loopback(options, plain(session)) {}

Loopback::Loopback(const NetOptions& options, const ListenerOptions& listener)
    : router(
          std::make_unique<routing::Router>(journal, routing::RoutingOptions{}, journal.state())),
      entrance(on_free_port(listener)),
      connections(std::make_unique<Connections>(io, *router, porter, options)),
      listener_(std::make_unique<Listener>(io, *connections, entrance)) {
  const auto status = entrance.load_certificates();
  REQUIRE_MESSAGE(status.has_value(), (status ? "" : status.error().text));
  REQUIRE(listener_->open(128).has_value());
  listener_->start();
}

Loopback::~Loopback() = default;

bool Loopback::run_until(const std::function<bool()>& reached) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!reached()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    io.run_for(std::chrono::milliseconds(1));
    if (commits) commit();
  }
  return true;
}

void Loopback::commit() {
  if (!journal.has_work()) return;
  router->on_commit(journal.commit());
  for (auto& page : journal.take_pages())
    router->on_loaded(std::move(page));
}

Peer::Peer(Loopback& broker, int receive_buffer_bytes)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer_bytes > 0) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                 sizeof receive_buffer_bytes);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(broker.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
}

Peer::~Peer() {
  close();
}

void Peer::send(std::string_view bytes) {
  to_send_ += bytes;
  static_cast<void>(all_sent());
}

bool Peer::all_sent() {
  const ssize_t sent =
      ::send(socket_, to_send_.data(), to_send_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) to_send_.erase(0, static_cast<std::size_t>(sent));
  return to_send_.empty();
}

const std::string& Peer::received() {
  if (!to_send_.empty()) static_cast<void>(all_sent());
  std::array<char, 64 * 1024> bytes;
  for (;;) {
    const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return received_;
    ended_ = ended_ || count <= 0;
    if (count <= 0) return received_;
    received_.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

bool Peer::ended() {
  static_cast<void>(received());
  return ended_;
}

void Peer::shut_down_sending() {
  ::shutdown(socket_, SHUT_WR);
}

void Peer::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void Peer::close_with_reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

std::string frame(std::string_view text) {
  return std::string(text) + '\0';
}

std::string connect_frame() {
  return frame("CONNECT\naccept-version:1.2\nhost:x\n\n");
}

}  // namespace stompbox::net::testing

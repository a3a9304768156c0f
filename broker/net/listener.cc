#include "broker/net/listener.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include <asio/ip/v6_only.hpp>

#include "broker/log/log.h"
#include "broker/net/asio_support.h"

namespace stompbox::net {
namespace {

using asio::ip::tcp;

constexpr std::chrono::milliseconds kPause{100};
// Connections that are taken in a row, before those that are there get their turn.
constexpr int kInARowMax = 64;
// The same in finish(): more than any backlog.
constexpr int kFinishMax = 100'000;

int open_spare() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

// Asio's errors are numbers of the system in a category of its own: they equal no std::errc.
storage::Error listen_error(const ListenAddress& address, const std::error_code& error) {
  std::string why = error.message();
  if (error.value() == EADDRINUSE) {
    why = "the port is in use; another broker may be running";
  } else if (error.value() == EACCES) {
    why = "ports below 1024 are for root; use one above";
  } else if (error.value() == EADDRNOTAVAIL) {
    why = "this machine has no such address";
  }
  return {storage::ErrorCode::kUnavailable, "cannot listen on " + to_text(address) + ": " + why};
}

}  // namespace

Listener::Listener(asio::io_context& io, Connections& connections, Entrance& entrance)
    : io_(io),
      connections_(connections),
      entrance_(entrance),
      acceptor_(io),
      pause_(io),
      spare_(open_spare()),
      failure_lines_(1, std::chrono::seconds(10)) {}

Listener::~Listener() {
  if (spare_ >= 0) ::close(spare_);
}

storage::Status Listener::open(std::uint32_t backlog) {
  const ListenAddress& address = entrance_.options().address;
  std::error_code error;
  const tcp::endpoint endpoint(asio::ip::make_address(address.host, error), address.port);
  if (!error) acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(static_cast<int>(backlog), error);
  if (!error) acceptor_.non_blocking(true, error);
  tcp::endpoint bound;
  if (!error) bound = acceptor_.local_endpoint(error);
  if (error) return listen_error(address, error);
  address_ = {address.host, bound.port(), address.scheme};
  return storage::kOk;
}

void Listener::start() {
  spawn(io_, accept_loop(*this));
}

asio::awaitable<void> Listener::accept_loop(Listener& self) {
  while (self.acceptor_.is_open()) {
    auto [error, socket] = co_await self.acceptor_.async_accept(as_result);
    if (!error) {
      self.connections_.welcome(std::move(socket),
                                self.entrance_);  // even if finish() was called meanwhile
      self.take_waiting(kInARowMax);
    } else if (self.acceptor_.is_open() && self.must_pause_after(error)) {
      self.pause_.expires_after(kPause);
      co_await self.pause_.async_wait(as_result);
    }
  }
}

bool Listener::must_pause_after(std::error_code error) {
  if (error.value() == ECONNABORTED) return false;  // the peer has gone already
  if (const auto left_out = failure_lines_.next(std::chrono::steady_clock::now())) {
    log::write(log::Level::kError, "accept-failed",
               log::Fields()
                   .add("listener", to_text(address_))
                   .add("error", error.message())
                   .add("more_before", *left_out));
  }
  const bool no_descriptor = error.value() == EMFILE || error.value() == ENFILE;
  if (no_descriptor) drop_one_with_the_spare();
  return true;
}

void Listener::drop_one_with_the_spare() {
  if (spare_ >= 0) ::close(spare_);
  const int refused = ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
  if (refused >= 0) ::close(refused);
  spare_ = open_spare();
}

// What the kernel has ready. An error is left to the next one who accepts.
void Listener::take_waiting(int count_max) {
  for (int taken = 0; acceptor_.is_open() && taken < count_max; ++taken) {
    std::error_code error;
    tcp::socket socket(io_);
    acceptor_.accept(socket, error);
    if (error) return;
    connections_.welcome(std::move(socket), entrance_);
  }
}

void Listener::finish() {
  take_waiting(kFinishMax);
  std::error_code ignored;  // the descriptor is gone either way
  acceptor_.close(ignored);
  pause_.cancel();
}

}  // namespace stompbox::net

#include "broker/stomp_link.h"

#include <cstddef>
#include <system_error>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/write.hpp>

#include "broker/net/asio_support.h"
#include "broker/net/connections.h"

namespace stompbox {
namespace {

using client::TlsClient;
using storage::ErrorCode;

// Reads in a row before others have their turn.
constexpr int kReadsMax = 16;

storage::Error unreachable(const client::BrokerUrl& broker, const std::error_code& error,
                           bool time_is_up) {
  const std::string why = time_is_up ? "it does not answer" : error.message();
  return {ErrorCode::kUnavailable, "cannot reach " + to_text(broker) + ": " + why};
}

storage::Error broken(const std::error_code& error) {
  if (error == asio::error::eof) {
    return {ErrorCode::kUnavailable, "the broker closed the connection"};
  }
  return {ErrorCode::kUnavailable, "the connection broke: " + error.message()};
}

}  // namespace

StompLink::StompLink(asio::io_context& io, StompSource& source, client::TlsTrust trust,
                     std::chrono::milliseconds connect_patience)
    : io_(io),
      source_(source),
      trust_(std::move(trust)),
      connect_patience_(connect_patience),
      alarm_(io, [this] { settle(); }) {}

StompLink::~StompLink() {
  if (wire_) close(*wire_);
}

void StompLink::close(Wire& wire) {
  std::error_code ignored;  // what cannot be closed well is not used any more all the same
  wire.open = false;
  wire.resolver.cancel();
  wire.deadline.cancel();
  wire.socket.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  wire.socket.close(ignored);
}

void StompLink::settle() {
  const session::Now now = net::clock_now();
  source_.advance(now.steady, now.wall_ms);
  take_output();
  if (source_.take_close() && wire_) {
    close(*wire_);
    wire_.reset();
  }
  if (!wire_) {
    if (const auto* const broker = source_.wants_connection(now.steady)) begin(*broker);
  } else if (wire_->open && !wire_->reading && source_.wants_input()) {
    await_readable();
  }
  alarm_.set(source_.next_event());
}

void StompLink::begin(const client::BrokerUrl& broker) {
  source_.connecting();
  wire_ = std::make_shared<Wire>(io_);
  wire_->deadline.expires_after(connect_patience_);
  wire_->deadline.async_wait([wire = wire_](std::error_code cancelled) {
    if (!cancelled) close(*wire);
  });
  net::spawn(io_, open(*this, wire_, broker));
}

asio::awaitable<void> StompLink::open(StompLink& self, WirePtr wire, client::BrokerUrl broker) {
  Error error = co_await connect(wire, broker);
  if (!error && broker.transport == client::Transport::kTls) {
    const client::TlsTrust trust = self.trust_;
    error = co_await shake_hands(wire, broker, trust);
  }
  if (self.wire_ != wire) co_return;  // it was given up meanwhile
  if (error) {
    self.lose(*error);
    co_return;
  }
  wire->deadline.cancel();
  wire->open = true;
  self.source_.connected(net::clock_now().steady);
  self.settle();
}

asio::awaitable<StompLink::Error> StompLink::connect(WirePtr wire, client::BrokerUrl broker) {
  auto [fault, found] =
      co_await wire->resolver.async_resolve(broker.host, broker.port, net::as_result);
  if (fault) co_return unreachable(broker, fault, fault == asio::error::operation_aborted);
  std::error_code last = asio::error::host_not_found;
  for (const auto& entry : found) {
    const asio::ip::tcp::endpoint endpoint = entry.endpoint();
    std::error_code ignored;  // the next call says it
    wire->socket.close(ignored);
    auto [refused] = co_await wire->socket.async_connect(endpoint, net::as_result);
    last = refused;
    if (!refused || refused == asio::error::operation_aborted) break;
  }
  if (last) co_return unreachable(broker, last, last == asio::error::operation_aborted);
  std::error_code ignored;  // without it frames are only a little later
  wire->socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  wire->socket.set_option(asio::socket_base::keep_alive(true), ignored);
  wire->socket.non_blocking(true, last);
  if (last) co_return unreachable(broker, last, false);
  co_return std::nullopt;
}

asio::awaitable<StompLink::Error> StompLink::shake_hands(WirePtr wire, client::BrokerUrl broker,
                                                         client::TlsTrust trust) {
  auto tls = TlsClient::make(broker.host, trust);
  if (!tls) co_return tls.error();
  std::array<char, 16 * 1024> scratch;
  for (;;) {
    std::string out;
    const auto step = tls->shake_hands(out);
    const auto piece = asio::buffer(out);
    auto [unsent, sent] = co_await asio::async_write(wire->socket, piece, net::as_result);
    if (!step) co_return step.error();
    if (unsent) co_return unreachable(broker, unsent, unsent == asio::error::operation_aborted);
    if (*step == TlsClient::Handshake::kDone) break;
    const auto room = asio::buffer(scratch);
    auto [fault, size] = co_await wire->socket.async_read_some(room, net::as_result);
    if (fault == asio::error::eof) {
      co_return storage::Error{ErrorCode::kUnavailable,
                               to_text(broker) +
                                   " closed the connection in the TLS handshake: "
                                   "does it speak TLS there?"};
    }
    if (fault) co_return unreachable(broker, fault, fault == asio::error::operation_aborted);
    tls->feed({scratch.data(), size});
  }
  wire->tls = std::move(*tls);
  co_return std::nullopt;
}

void StompLink::lose(storage::Error why) {
  close(*wire_);
  wire_.reset();
  source_.lost(why, net::clock_now().steady);
  settle();
}

void StompLink::await_readable() {
  wire_->reading = true;
  wire_->socket.async_wait(asio::ip::tcp::socket::wait_read,
                           [this, wire = wire_](std::error_code error) {
                             wire->reading = false;
                             if (wire_ != wire || !wire->open) return;
                             error ? lose(broken(error)) : read();
                           });
}

void StompLink::read() {
  for (int i = 0; i < kReadsMax && source_.wants_input(); ++i) {
    std::error_code error;
    const std::size_t size = wire_->socket.read_some(asio::buffer(scratch_), error);
    if (error == asio::error::would_block) break;
    if (error) return lose(broken(error));
    if (!take({scratch_.data(), size})) return;
  }
  settle();
}

bool StompLink::take(std::string_view bytes) {
  const session::Now now = net::clock_now();
  if (!wire_->tls) {
    source_.came(bytes, now.steady, now.wall_ms);
    return true;
  }
  wire_->tls->feed(bytes);
  const auto end = wire_->tls->open(
      [this, now](std::string_view plain) { source_.came(plain, now.steady, now.wall_ms); });
  if (end && *end == TlsClient::End::kNone) return true;
  lose(end ? broken(asio::error::eof) : end.error());
  return false;
}

void StompLink::take_output() {
  std::string bytes = source_.take_output();
  if (!wire_ || !wire_->open) return;
  if (!wire_->tls) {
    wire_->out.append(bytes);
  } else if (const auto sealed = wire_->tls->seal(bytes, wire_->out); !sealed) {
    return lose(sealed.error());
  }
  if (!wire_->writing) write();
}

void StompLink::write() {
  while (!wire_->out.empty()) {
    std::error_code error;
    const std::size_t size = wire_->socket.write_some(asio::buffer(wire_->out), error);
    if (error == asio::error::would_block) return await_writable();
    if (error) {
      // What the broker said last may lie there unread, and reading finds the end too.
      wire_->out.clear();
      return;
    }
    wire_->out.erase(0, size);
  }
}

void StompLink::await_writable() {
  wire_->writing = true;
  wire_->socket.async_wait(asio::ip::tcp::socket::wait_write,
                           [this, wire = wire_](std::error_code error) {
                             wire->writing = false;
                             if (wire_ != wire || !wire->open) return;
                             if (error) return lose(broken(error));
                             write();
                           });
}

}  // namespace stompbox

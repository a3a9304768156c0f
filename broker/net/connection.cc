#include "broker/net/connection.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace stompbox::net {
namespace {

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

// Pieces of one gathered write.
constexpr std::size_t kPiecesMax = 64;
// What may wait, encoded, for the socket: a batch, and answers to a peer that floods us with pings.
constexpr std::size_t kUnsentBytesMax = 1024 * 1024;

struct Gathered {
  std::array<iovec, kPiecesMax> pieces;
  std::size_t count = 0;
};

void gather(const session::Outbox& outbox, Gathered& gathered) {
  std::array<session::Outbox::Piece, kPiecesMax> pieces;
  gathered.count = outbox.gather(pieces.data(), pieces.size());
  for (std::size_t i = 0; i < gathered.count; ++i) {
    // sendmsg only reads; its interface is older than const.
    gathered.pieces[i] = {const_cast<char*>(pieces[i].begin), pieces[i].size};
  }
}

// Bytes that the kernel took, or -1 with errno. A signal that interrupts is no error.
ssize_t send_pieces(int socket, Gathered& gathered) {
  msghdr message{};
  message.msg_iov = gathered.pieces.data();
  message.msg_iovlen = gathered.count;
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

ssize_t send_once(int socket, std::string_view bytes) {
  if (bytes.empty()) return 0;
  ssize_t sent = 0;
  do {
    sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

ssize_t receive(int socket, std::span<char> scratch) {
  ssize_t count = 0;
  do {
    count = ::recv(socket, scratch.data(), scratch.size(), MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  return count;
}

}  // namespace

Connection::Connection(std::uint64_t number, asio::ip::tcp::socket socket, Entrance& entrance,
                       const SessionParts& parts, session::Now now)
    : number_(number),
      opened_at_(now.steady),
      entrance_(entrance),
      buffers_(parts.buffers),
      socket_(std::move(socket)) {
  std::error_code error;
  const auto peer = socket_.remote_endpoint(error);  // gone already: it stays without a name
  if (!error) {
    host_ = peer.address().to_string();
    port_ = peer.port();
  }
  if (Wire::is_needed(entrance.scheme())) wire_ = std::make_unique<Wire>(entrance);
  session_.emplace(number, parts.router, parts.gate, parts.waker, entrance.options().session, now,
                   &parts.shared);
}

Connection::ReadOutcome Connection::read(std::span<char> scratch, session::Now now) {
  const ssize_t count = receive(socket_.native_handle(), scratch);
  if (count > 0) {
    any_came_ = true;
    const auto came = scratch.first(static_cast<std::size_t>(count));
    if (wire_ && read_through_wire(came, now) == ReadOutcome::kEnded) return ReadOutcome::kEnded;
    if (!wire_) session_->on_bytes({came.data(), came.size()}, now);
    return came.size() == scratch.size() ? ReadOutcome::kMore : ReadOutcome::kDrained;
  }
  if (count < 0 && would_block(errno)) return ReadOutcome::kDrained;
  input_ended_ = true;
  if (count == 0) {
    session_->on_end_of_input(now);
  } else {
    session_->on_io_error(now);
  }
  return ReadOutcome::kEnded;
}

// A close alert or a close frame is an end of the input like the socket's own; that many clients
// send none is no fault.
Connection::ReadOutcome Connection::read_through_wire(std::span<char> came, session::Now now) {
  const Wire::Taken taken = wire_->take(came, buffers_);
  send_through_wire(0, now);
  if (!taken.bytes.empty() && !wire_->is_plain()) {
    session_->on_bytes({taken.bytes.data(), taken.bytes.size()}, now);
  }
  if (taken.end == Wire::End::kNone) {
    if (wire_->is_plain()) wire_.reset();
    return ReadOutcome::kMore;
  }
  input_ended_ = true;
  if (taken.end == Wire::End::kOrderly) {
    session_->on_end_of_input(now);
    return ReadOutcome::kEnded;
  }
  wire_failed_ = true;
  set_close_cause(session::CloseReason::kProtocolError, wire_->fault());
  session_->on_io_error(now);
  return ReadOutcome::kEnded;
}

bool Connection::wants_write() {
  if (write_failed_) return false;
  return session_->outbox().waiting_bytes() > 0 || (wire_ && !wire_->unsent.bytes.empty());
}

// A part of the outbox's own may have left: then it is a little more.
std::size_t Connection::answer_bytes() const {
  if (!wire_) return 0;
  const std::size_t unsent = wire_->unsent.bytes.size();
  return unsent - std::min(unsent, wire_->unsent.outbox_bytes);
}

Connection::WriteOutcome Connection::write(std::size_t bytes_max, session::Now now) {
  if (wire_) return write_through_wire(bytes_max, now);
  Gathered gathered;
  std::size_t written = 0;
  while (!write_failed_ && written < bytes_max && session_->outbox().waiting_bytes() > 0) {
    gather(session_->outbox(), gathered);
    const ssize_t sent = send_pieces(socket_.native_handle(), gathered);
    if (sent < 0 && would_block(errno)) return WriteOutcome::kBlocked;
    if (sent < 0) {
      on_dead_output(now);
      break;
    }
    written += static_cast<std::size_t>(sent);
    session_->on_written(static_cast<std::size_t>(sent), now);
  }
  bytes_out_ += written;
  return WriteOutcome::kWritten;
}

void Connection::on_dead_output(session::Now now) {
  write_failed_ = true;
  session_->on_write_failed(now);
}

Connection::WriteOutcome Connection::write_through_wire(std::size_t bytes_max, session::Now now) {
  const std::uint64_t end = bytes_out_ + bytes_max;
  while (!write_failed_ && bytes_out_ < end && wants_write()) {
    if (!wire_->unsent.bytes.empty()) {
      if (!send_unsent(now)) return WriteOutcome::kBlocked;
      continue;
    }
    const std::size_t sealed = wire_->seal(session_->outbox(), buffers_);
    if (sealed == 0) {
      on_dead_output(now);  // the wire takes no more
      break;
    }
    send_through_wire(sealed, now);
  }
  return WriteOutcome::kWritten;
}

// Sends what is encoded in the buffers; what the socket does not take waits with the wire. The
// session is told of `outbox_bytes` when the last of it is out.
void Connection::send_through_wire(std::size_t outbox_bytes, session::Now now) {
  Wire::Unsent& unsent = wire_->unsent;
  unsent.outbox_bytes += outbox_bytes;
  std::string_view bytes = buffers_.out;
  if (write_failed_) return;
  if (unsent.bytes.empty() && !bytes.empty()) {
    const ssize_t sent = send_once(socket_.native_handle(), bytes);
    if (sent < 0 && !would_block(errno)) return on_dead_output(now);
    bytes_out_ += static_cast<std::uint64_t>(std::max<ssize_t>(sent, 0));
    bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  }
  unsent.bytes.append(bytes);
  if (unsent.bytes.size() > kUnsentBytesMax) return on_dead_output(now);
  if (unsent.bytes.empty() && unsent.outbox_bytes > 0) {
    session_->on_written(std::exchange(unsent.outbox_bytes, 0), now);
  }
}

// False: the socket takes no more at present.
bool Connection::send_unsent(session::Now now) {
  Wire::Unsent& unsent = wire_->unsent;
  const ssize_t sent = send_once(socket_.native_handle(), unsent.bytes);
  if (sent < 0 && would_block(errno)) return false;
  if (sent < 0) {
    on_dead_output(now);
    return true;
  }
  bytes_out_ += static_cast<std::uint64_t>(sent);
  unsent.bytes.erase(0, static_cast<std::size_t>(sent));
  if (!unsent.bytes.empty()) return true;
  unsent.bytes = std::string();
  // What waited may have been forgotten meanwhile, with the peer.
  const std::size_t told =
      std::min(std::exchange(unsent.outbox_bytes, 0), session_->outbox().waiting_bytes());
  session_->on_written(told, now);
  return true;
}

void Connection::shut_down_if_wished() {
  if (shut_down_ || write_failed_ || !session_->wants_shutdown() || wants_write()) return;
  shut_down_ = true;
  say_goodbye();
  std::error_code gone;  // then there is nobody to be told
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, gone);
}

// One try: what the socket does not take is a courtesy that the peer does without.
void Connection::say_goodbye() {
  if (!wire_ || write_failed_ || !wire_->unsent.bytes.empty()) return;
  CloseCode code = CloseCode::kNormal;
  if (close_reason() == session::CloseReason::kShutdown) code = CloseCode::kGoingAway;
  if (close_reason() == session::CloseReason::kProtocolError) code = CloseCode::kPolicy;
  wire_->say_goodbye(code, buffers_);
  static_cast<void>(send_once(socket_.native_handle(), buffers_.out));
}

void Connection::close() {
  if (session_) say_goodbye();
  session_.reset();
  wire_.reset();
  std::error_code ignored;  // the descriptor is gone either way
  socket_.close(ignored);
}

asio::ip::tcp::socket Connection::close_but_keep_socket() {
  std::error_code gone;  // then there is nobody to be told
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, gone);
  socket_.cancel(gone);
  asio::ip::tcp::socket kept = std::move(socket_);
  session_.reset();
  wire_.reset();
  return kept;
}

Visitor Connection::visitor() const {
  Visitor visitor;
  visitor.connection = number_;
  visitor.host = host_;
  visitor.listener = entrance_.name();
  if (wire_) visitor.certificate = wire_->client_names().value_or(CertificateNames());
  return visitor;
}

void Connection::set_close_cause(session::CloseReason reason, std::string detail) {
  if (cause_ != session::CloseReason::kNone) return;
  cause_ = reason;
  cause_detail_ = std::move(detail);
}

// A peer that got stuck in TLS or HTTP is no probe, though its session never got a byte.
bool Connection::never_spoke() const {
  return wire_ && any_came_ && session_->close_reason() == session::CloseReason::kProbe;
}

session::CloseReason Connection::close_reason() const {
  using enum session::CloseReason;
  if (cause_ != kNone) return cause_;
  if (never_spoke()) return input_ended_ ? kPeerClosed : kLoginTimeout;
  return session_->close_reason();
}

std::string Connection::close_detail() const {
  if (cause_ == session::CloseReason::kNone && never_spoke()) {
    return "it got as far as: " + std::string(wire_->stage());
  }
  return cause_ != session::CloseReason::kNone ? cause_detail_
                                               : std::string(session_->close_detail());
}

std::string Connection::peer() const {
  const bool is_v6 = host_.find(':') != std::string::npos;
  return (is_v6 ? "[" + host_ + "]" : host_) + ":" + std::to_string(port_);
}

}  // namespace stompbox::net

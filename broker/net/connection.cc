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

ssize_t receive(int socket, std::span<char> scratch) {
  ssize_t count = 0;
  do {
    count = ::recv(socket, scratch.data(), scratch.size(), MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  return count;
}

}  // namespace

Connection::Connection(std::uint64_t number, asio::ip::tcp::socket socket,
                       const SessionParts& parts, session::Now now)
    : number_(number), opened_at_(now.steady), socket_(std::move(socket)) {
  std::error_code error;
  const auto peer = socket_.remote_endpoint(error);  // gone already: it stays without a name
  if (!error) {
    host_ = peer.address().to_string();
    port_ = peer.port();
  }
  session_.emplace(number, parts.router, parts.gate, parts.waker, parts.options, now);
}

Connection::ReadOutcome Connection::read(std::span<char> scratch, session::Now now) {
  const ssize_t count = receive(socket_.native_handle(), scratch);
  if (count > 0) {
    const auto size = static_cast<std::size_t>(count);
    session_->on_bytes({scratch.data(), size}, now);
    return size == scratch.size() ? ReadOutcome::kMore : ReadOutcome::kDrained;
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

Connection::WriteOutcome Connection::write(std::size_t bytes_max, session::Now now) {
  Gathered gathered;
  std::size_t written = 0;
  while (!write_failed_ && written < bytes_max && session_->outbox().waiting_bytes() > 0) {
    gather(session_->outbox(), gathered);
    const ssize_t sent = send_pieces(socket_.native_handle(), gathered);
    if (sent < 0 && would_block(errno)) return WriteOutcome::kBlocked;
    if (sent < 0) {
      write_failed_ = true;
      session_->on_write_failed(now);
      break;
    }
    written += static_cast<std::size_t>(sent);
    session_->on_written(static_cast<std::size_t>(sent), now);
  }
  bytes_out_ += written;
  return WriteOutcome::kWritten;
}

void Connection::shut_down_if_wished() {
  if (shut_down_ || write_failed_ || !session_->wants_shutdown()) return;
  if (session_->outbox().waiting_bytes() > 0) return;
  shut_down_ = true;
  std::error_code gone;  // then there is nobody to be told
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, gone);
}

void Connection::close() {
  session_.reset();
  std::error_code ignored;  // the descriptor is gone either way
  socket_.close(ignored);
}

void Connection::set_close_cause(session::CloseReason reason, std::string detail) {
  if (cause_ != session::CloseReason::kNone) return;
  cause_ = reason;
  cause_detail_ = std::move(detail);
}

session::CloseReason Connection::close_reason() const {
  return cause_ != session::CloseReason::kNone ? cause_ : session_->close_reason();
}

std::string Connection::close_detail() const {
  return cause_ != session::CloseReason::kNone ? cause_detail_
                                               : std::string(session_->close_detail());
}

std::string Connection::peer() const {
  const bool is_v6 = host_.find(':') != std::string::npos;
  return (is_v6 ? "[" + host_ + "]" : host_) + ":" + std::to_string(port_);
}

}  // namespace stompbox::net

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include <asio/ip/tcp.hpp>

#include "broker/net/entrance.h"
#include "broker/net/porter.h"
#include "broker/net/wire.h"
#include "broker/session/session.h"

namespace stompbox::net {

// One peer's socket with its session. Does the reads and writes that cannot block; when to do them
// is the business of Connections. Loop thread only.
class Connection {
 public:
  // What the session needs to begin.
  struct SessionParts {
    routing::Router& router;
    session::Gate& gate;
    session::Waker& waker;
    WireBuffers& buffers;     // shared by all
    session::Shared& shared;  // likewise
  };

  // The socket is connected and does not block. The entrance outlives this.
  Connection(std::uint64_t number, asio::ip::tcp::socket socket, Entrance& entrance,
             const SessionParts& parts, session::Now now);

  enum class ReadOutcome { kMore, kDrained, kEnded };  // kDrained: no more at the moment
  // One read into `scratch`, fed to the session; what TLS or WebSocket has to answer is written.
  // kEnded: the end of the input or of the socket.
  ReadOutcome read(std::span<char> scratch, session::Now now);

  enum class WriteOutcome { kWritten, kBlocked };  // kWritten: nothing waits any more
  [[nodiscard]] bool wants_write();
  // Answers of TLS and WebSocket, pongs above all, that wait for the socket and that no outbox
  // counts.
  [[nodiscard]] std::size_t answer_bytes() const;
  // Writes the outbox out, up to `bytes_max`. A dead socket is told to the session.
  WriteOutcome write(std::size_t bytes_max, session::Now now);

  // Shuts down the sending side, once, if the session wishes it and all is written.
  void shut_down_if_wished();
  // Ends session and socket: what the session had goes back to the router. Not in a router's call.
  void close();
  // The same, but the socket lives on in the caller's hands, its sending side shut down: a peer
  // that was refused in TLS or HTTP has yet to read why.
  [[nodiscard]] asio::ip::tcp::socket close_but_keep_socket();
  [[nodiscard]] bool was_refused_by_wire() const { return wire_failed_; }

  // Why it was closed by somebody else than the session; the first that is given counts.
  void set_close_cause(session::CloseReason reason, std::string detail);
  [[nodiscard]] session::CloseReason close_reason() const;
  [[nodiscard]] std::string close_detail() const;

  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const std::string& host() const { return host_; }
  [[nodiscard]] std::string peer() const;  // host and port, for the log
  [[nodiscard]] Entrance& entrance() { return entrance_; }
  // Who it is to the doorman.
  [[nodiscard]] Visitor visitor() const;
  [[nodiscard]] bool is_open() const { return session_.has_value(); }
  [[nodiscard]] bool input_ended() const { return input_ended_; }
  [[nodiscard]] session::Session& session() { return *session_; }
  [[nodiscard]] asio::ip::tcp::socket& socket() { return socket_; }
  [[nodiscard]] std::uint64_t bytes_out() const { return bytes_out_; }
  [[nodiscard]] session::TimePoint opened_at() const { return opened_at_; }

  // Notes of Connections.
  struct Notes {
    bool reading = false;  // a read loop is running
    bool waiting_to_write = false;
    bool woken = false;      // stands on the list of those to be called
    bool heard_out = false;  // the stop has read all that the kernel had
    bool told_of_stop = false;
    bool beats_paused = false;      // it is not read because of the bound on input
    std::size_t inbound_bytes = 0;  // as counted in the budgets
    std::size_t outgoing_bytes = 0;
  };
  Notes notes;

 private:
  ReadOutcome read_through_wire(std::span<char> came, session::Now now);
  WriteOutcome write_through_wire(std::size_t bytes_max, session::Now now);
  [[nodiscard]] bool send_unsent(session::Now now);
  void send_through_wire(std::size_t outbox_bytes, session::Now now);
  void on_dead_output(session::Now now);
  void say_goodbye();
  [[nodiscard]] bool never_spoke() const;

  const std::uint64_t number_;
  const session::TimePoint opened_at_;
  Entrance& entrance_;
  WireBuffers& buffers_;
  std::unique_ptr<Wire> wire_;  // null: plain STOMP
  asio::ip::tcp::socket socket_;
  std::string host_;
  std::uint16_t port_ = 0;
  std::optional<session::Session> session_;
  std::uint64_t bytes_out_ = 0;
  bool input_ended_ = false;
  bool write_failed_ = false;
  bool shut_down_ = false;
  bool wire_failed_ = false;
  bool any_came_ = false;  // bytes from the peer, whatever they mean
  session::CloseReason cause_ = session::CloseReason::kNone;
  std::string cause_detail_;
};

}  // namespace stompbox::net

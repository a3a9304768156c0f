#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include <asio/ip/tcp.hpp>

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
    const session::SessionOptions& options;
  };

  // The socket is connected and does not block.
  Connection(std::uint64_t number, asio::ip::tcp::socket socket, const SessionParts& parts,
             session::Now now);

  enum class ReadOutcome { kMore, kDrained, kEnded };  // kDrained: no more at the moment
  // One read into `scratch`, fed to the session. kEnded: the end of the input or of the socket.
  ReadOutcome read(std::span<char> scratch, session::Now now);

  enum class WriteOutcome { kWritten, kBlocked };  // kWritten: nothing waits any more
  // Writes the outbox out, up to `bytes_max`. A dead socket is told to the session.
  WriteOutcome write(std::size_t bytes_max, session::Now now);

  // Shuts down the sending side, once, if the session wishes it and all is written.
  void shut_down_if_wished();
  // Ends session and socket: what the session had goes back to the router. Not in a router's call.
  void close();

  // Why it was closed by somebody else than the session; the first that is given counts.
  void set_close_cause(session::CloseReason reason, std::string detail);
  [[nodiscard]] session::CloseReason close_reason() const;
  [[nodiscard]] std::string close_detail() const;

  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const std::string& host() const { return host_; }
  [[nodiscard]] std::string peer() const;  // host and port, for the log
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
    bool woken = false;  // stands on the list of those to be called
    bool told_of_stop = false;
    std::size_t inbound_bytes = 0;  // as counted in the budgets
    std::size_t outgoing_bytes = 0;
  };
  Notes notes;

 private:
  const std::uint64_t number_;
  const session::TimePoint opened_at_;
  asio::ip::tcp::socket socket_;
  std::string host_;
  std::uint16_t port_ = 0;
  std::optional<session::Session> session_;
  std::uint64_t bytes_out_ = 0;
  bool input_ended_ = false;
  bool write_failed_ = false;
  bool shut_down_ = false;
  session::CloseReason cause_ = session::CloseReason::kNone;
  std::string cause_detail_;
};

}  // namespace stompbox::net

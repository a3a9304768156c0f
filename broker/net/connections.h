#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include "broker/log/repeats.h"
#include "broker/net/connection.h"
#include "broker/net/deadlines.h"
#include "broker/net/entrance.h"
#include "broker/net/options.h"
#include "broker/net/porter.h"
#include "broker/session/session.h"

namespace stompbox::net {

// All connections, and the one that runs their sessions: reads what comes, writes what waits, keeps
// the deadlines and the bounds on memory. Loop thread only.
//
// Every event of a connection ends in settle(): what the session has to say is written at once, in
// one gathered write, and only a full socket is waited for. What routing gives to other sessions
// meanwhile waits on the list of the woken and is settled once, at the end of the event or of the
// loop's turn.
//
// An idle connection holds no buffer: it waits for input, and reads into the one scratch buffer.
class Connections final : private session::Gate, private session::Waker {
 public:
  struct Figures {
    std::uint64_t open = 0;
    std::uint64_t total = 0;  // since the start, probes and those turned away too
    std::uint64_t probes = 0;
    std::uint64_t turned_away = 0;
    std::size_t inbound_bytes = 0;
    std::size_t outgoing_bytes = 0;
  };

  // References outlive this. `io` is not run after this has been destroyed.
  Connections(asio::io_context& io, routing::Router& router, Porter& porter,
              const NetOptions& options);
  ~Connections() override;  // closes all
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // `entrance` outlives the connections.
  void welcome(asio::ip::tcp::socket socket, Entrance& entrance);

  // The stop, step by step. Reads what the kernel holds of every connection, and goes on until each
  // has been read to its present end; each is then told, and leaves when its output is out.
  void begin_stop();
  void tell_all();   // whether read to the end or not
  void close_all();  // whether written out or not
  [[nodiscard]] bool all_told() const { return untold_ == 0; }
  [[nodiscard]] bool empty() const { return connections_.empty(); }
  // Called at each step after begin_stop(), from the loop.
  void on_progress(std::function<void()> tell) { progress_ = std::move(tell); }

  [[nodiscard]] Figures figures() const;

 private:
  using ConnectionPtr = std::shared_ptr<Connection>;

  static asio::awaitable<void> await_writable(Connections& all, ConnectionPtr connection);
  static asio::awaitable<void> deadline_loop(Connections& all);

  // session::Gate, session::Waker
  void check_login(std::uint64_t session, const session::Credentials& credentials) override;
  void denied(std::uint64_t session, const session::Denial& denial) override;
  void wake(std::uint64_t session) override;

  void on_answer(std::uint64_t session, session::Admitted admitted);
  void post_flush();
  void flush_woken();
  void on_due(std::uint64_t number, session::Now now);

  void await_readable(const ConnectionPtr& connection);
  void on_readable(const ConnectionPtr& connection, std::error_code error);
  void read_ready(const ConnectionPtr& connection);
  void settle(const ConnectionPtr& connection, session::Now now);
  void write_out(const ConnectionPtr& connection, session::Now now);
  void set_deadline(Connection& connection);
  void set_deadline(std::uint64_t number, session::TimePoint when);
  void read_on(const ConnectionPtr& connection);
  [[nodiscard]] bool may_read(Connection& connection) const;
  void tell(Connection& connection, session::Now now);

  [[nodiscard]] std::string may_come(const Visitor& visitor, Entrance& entrance,
                                     session::TimePoint now);
  void turn_away(asio::ip::tcp::socket socket, const Entrance& entrance,
                 const std::string& sentence);
  void let_linger(asio::ip::tcp::socket socket, std::chrono::milliseconds hold);
  void end(const ConnectionPtr& connection);
  void log_end(Connection& connection);
  [[nodiscard]] ConnectionPtr find(std::uint64_t number) const;

  // The bounds on memory (connections_budget.cc).
  void count_bytes(Connection& connection);
  void keep_outgoing_bound(session::Now now);
  void keep_inbound_bound(session::Now now);
  void on_inbound_patience(session::Now now);
  [[nodiscard]] bool inbound_is_over() const { return inbound_bytes_ > options_.inbound_bytes_max; }
  [[nodiscard]] std::size_t fair_inbound_bytes() const;
  [[nodiscard]] bool has_room_for(const Connection& connection) const;
  void judge_beats(Connection& connection);
  void read_all_on();
  void close_largest(std::size_t Connection::Notes::*bytes, session::CloseReason reason,
                     const char* detail, session::Now now);

  // Constant after construction.
  asio::io_context& io_;
  routing::Router& router_;
  Porter& porter_;
  const NetOptions options_;

  std::vector<char> scratch_;
  WireBuffers buffers_;
  session::Shared shared_;
  std::unordered_map<std::uint64_t, ConnectionPtr> connections_;
  std::uint64_t last_number_ = 0;
  std::uint64_t in_hand_ = 0;  // the connection whose event is being handled; 0: none
  std::vector<std::uint64_t> woken_;
  bool flush_posted_ = false;
  bool flushes_at_end_ = false;  // the event in hand is the first after a rest
  session::TimePoint last_event_end_;

  Deadlines deadlines_;
  asio::steady_timer timer_;
  std::optional<session::TimePoint> timer_at_;

  std::size_t inbound_bytes_ = 0;
  std::size_t outgoing_bytes_ = 0;
  bool inbound_paused_ = false;  // some are not read because of the bound

  // Refused ones, kept open for a moment so that they can read why and do not come back at once;
  // by their numbers, in the order of their refusal.
  std::map<std::uint64_t, asio::ip::tcp::socket> lingering_;

  bool stopping_ = false;
  std::size_t untold_ = 0;
  std::function<void()> progress_ = [] {};

  std::uint64_t total_ = 0;
  std::uint64_t probes_ = 0;
  std::uint64_t turned_away_count_ = 0;
  log::Repeats turned_away_lines_;
  log::Repeats failed_lines_;
};

// The clocks of this moment.
[[nodiscard]] session::Now clock_now();

}  // namespace stompbox::net

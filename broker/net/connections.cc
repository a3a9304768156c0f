#include "broker/net/connections.h"

#include <cassert>
#include <chrono>
#include <utility>

#include <asio/post.hpp>

#include "broker/log/log.h"
#include "broker/net/asio_support.h"

namespace stompbox::net {
namespace {

// What one connection may write in its turn; the rest follows in the next one.
constexpr std::size_t kTurnBytesMax = 1024 * 1024;
constexpr std::size_t kTurnWritesMax = 16;
// Refused connections that are kept open at once, so that they can read why.
constexpr std::size_t kTurnedAwayMax = 64;

constexpr std::string_view kNoRoomError =
    "ERROR\nmessage:Too many connections\ncontent-type:text/plain\ncontent-length:64\n\n"
    "This broker has as many connections as it may; try again later.\n";

void set_socket_options(asio::ip::tcp::socket& socket) {
  std::error_code ignored;  // a socket without them works
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
}

// A reset is none: so ends a master that exits with our CONNECTED unread.
bool is_failure(session::CloseReason reason) {
  using enum session::CloseReason;
  return reason != kDisconnect && reason != kPeerClosed && reason != kShutdown &&
         reason != kIoError;
}

}  // namespace

session::Now clock_now() {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::steady_clock::now(), duration_cast<milliseconds>(wall).count()};
}

Connections::Connections(asio::io_context& io, routing::Router& router, Porter& porter,
                         const session::SessionOptions& session_options, const NetOptions& options)
    : io_(io),
      router_(router),
      porter_(porter),
      session_options_(session_options),
      options_(options),
      scratch_(options.read_bytes),
      timer_(io),
      turned_away_lines_(1, std::chrono::seconds(10)),
      failed_lines_(100, std::chrono::seconds(10)) {
  spawn(io_, deadline_loop(*this));
}

Connections::~Connections() {
  progress_ = [] {};
  close_all();
}

void Connections::welcome(asio::ip::tcp::socket socket) {
  ++total_;
  std::error_code error;
  socket.non_blocking(true, error);
  if (error) return;  // it is gone
  set_socket_options(socket);
  if (connections_.size() >= options_.connection_count_max) {
    turn_away(std::move(socket));
    return;
  }
  const session::Now now = clock_now();
  const std::uint64_t number = ++last_number_;
  const Connection::SessionParts parts{router_, *this, *this, session_options_};
  auto connection = std::make_shared<Connection>(number, std::move(socket), parts, now);
  connection->session().lengthen_hold(porter_.error_hold(connection->host()));
  connections_.emplace(number, connection);
  if (stopping_) {
    ++untold_;
    read_ready(connection);
  } else {
    settle(connection, now);
  }
}

void Connections::turn_away(asio::ip::tcp::socket socket) {
  ++turned_away_count_;
  std::error_code ignored;  // whatever reaches the peer is a courtesy
  socket.send(asio::buffer(kNoRoomError.data(), kNoRoomError.size() + 1), 0, ignored);
  socket.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  turned_away_.push_back(std::move(socket));
  if (turned_away_.size() > kTurnedAwayMax) turned_away_.pop_front();
  if (const auto left_out = turned_away_lines_.next(clock_now().steady)) {
    log::write(log::Level::kWarning, "connection-turned-away",
               log::Fields()
                   .add("reason", "too-many")
                   .add("connections", std::uint64_t{connections_.size()})
                   .add("more_before", *left_out));
  }
}

// Reads while the session wants to; ends when it does not, and read_on() begins anew.
asio::awaitable<void> Connections::read_loop(Connections& all, ConnectionPtr connection) {
  while (all.may_read(*connection)) {
    const auto [error] =
        co_await connection->socket().async_wait(asio::ip::tcp::socket::wait_read, as_result);
    if (error || !connection->is_open()) break;
    if (all.may_read(*connection)) all.read_ready(connection);
  }
  connection->notes.reading = false;
}

void Connections::read_ready(const ConnectionPtr& connection) {
  const session::Now now = clock_now();
  in_hand_ = connection->number();
  auto outcome = Connection::ReadOutcome::kMore;
  for (std::size_t reads = 0; reads < options_.reads_in_a_row; ++reads) {
    if (outcome != Connection::ReadOutcome::kMore || !may_read(*connection)) break;
    outcome = connection->read(scratch_, now);
  }
  in_hand_ = 0;
  const bool at_the_end = outcome != Connection::ReadOutcome::kMore || connection->input_ended();
  if (stopping_ && at_the_end) tell(*connection, now);
  settle(connection, now);
}

void Connections::settle(const ConnectionPtr& connection, session::Now now) {
  session::Session& session = connection->session();
  in_hand_ = connection->number();
  if (std::exchange(connection->notes.woken, false)) session.on_wake(now);
  write_out(connection, now);
  connection->shut_down_if_wished();
  in_hand_ = 0;
  if (session.done()) {
    end(connection);
    return;
  }
  set_deadline(*connection);
  count_bytes(*connection);
  keep_outgoing_bound(now);
  keep_inbound_bound(now);
  read_on(connection);
}

// What is written gives credit back, and routing may at once have more: this goes on within bounds.
void Connections::write_out(const ConnectionPtr& connection, session::Now now) {
  if (connection->notes.waiting_to_write) return;
  session::Session& session = connection->session();
  for (std::size_t writes = 0; session.outbox().waiting_bytes() > 0; ++writes) {
    if (writes == kTurnWritesMax) {
      wake(connection->number());
      return;
    }
    if (connection->write(kTurnBytesMax, now) == Connection::WriteOutcome::kBlocked) {
      connection->notes.waiting_to_write = true;
      spawn(io_, await_writable(*this, connection));
      return;
    }
    if (std::exchange(connection->notes.woken, false)) session.on_wake(now);
  }
}

asio::awaitable<void> Connections::await_writable(Connections& all, ConnectionPtr connection) {
  const auto [error] =
      co_await connection->socket().async_wait(asio::ip::tcp::socket::wait_write, as_result);
  connection->notes.waiting_to_write = false;
  if (error || !connection->is_open()) co_return;
  all.settle(connection, clock_now());
}

bool Connections::may_read(Connection& connection) const {
  if (!connection.is_open() || connection.input_ended() || !connection.session().wants_read()) {
    return false;
  }
  return !inbound_is_over() || connection.notes.inbound_bytes <= fair_inbound_bytes();
}

void Connections::read_on(const ConnectionPtr& connection) {
  if (connection->notes.reading || !connection->is_open() || !may_read(*connection)) return;
  connection->notes.reading = true;
  spawn(io_, read_loop(*this, connection));
}

void Connections::wake(std::uint64_t session) {
  const ConnectionPtr connection = find(session);
  if (!connection) return;
  connection->notes.woken = true;
  woken_.push_back(session);
  if (std::exchange(flush_posted_, true)) return;
  asio::post(io_, [this] { flush_woken(); });
}

void Connections::flush_woken() {
  flush_posted_ = false;
  const std::vector<std::uint64_t> woken = std::exchange(woken_, {});
  const session::Now now = clock_now();
  for (const std::uint64_t number : woken) {
    const ConnectionPtr connection = find(number);
    if (connection && connection->notes.woken) settle(connection, now);
  }
}

void Connections::check_login(std::uint64_t session, std::string_view login,
                              std::string_view passcode) {
  const ConnectionPtr connection = find(session);
  assert(connection);
  porter_.check(connection->host(), login, passcode,
                [this, session](session::LoginResult result) { on_answer(session, result); });
}

void Connections::on_answer(std::uint64_t session, session::LoginResult result) {
  const ConnectionPtr connection = find(session);
  if (!connection) return;  // it did not wait
  const session::Now now = clock_now();
  if (result == session::LoginResult::kWrong) {
    connection->session().lengthen_hold(porter_.error_hold(connection->host()));
  }
  const bool within_event = in_hand_ == session;
  connection->session().on_login(result, now);
  if (!within_event) settle(connection, now);
}

void Connections::set_deadline(Connection& connection) {
  const auto when = connection.session().next_event();
  if (!when) {
    deadlines_.forget(connection.number());
    return;
  }
  deadlines_.set(connection.number(), *when);
  if (!timer_at_ || *when < *timer_at_) timer_.cancel();
}

asio::awaitable<void> Connections::deadline_loop(Connections& all) {
  for (;;) {
    all.timer_at_ = all.deadlines_.next();
    all.timer_.expires_at(all.timer_at_.value_or(session::TimePoint::max()));
    co_await all.timer_.async_wait(as_result);  // to the end, or cancelled by an earlier deadline
    const session::Now now = clock_now();
    while (const auto due = all.deadlines_.take_due(now.steady))
      all.on_due(*due, now);
  }
}

void Connections::on_due(std::uint64_t number, session::Now now) {
  const ConnectionPtr connection = find(number);
  if (!connection) {
    on_inbound_patience(now);
    return;
  }
  const auto when = connection->session().next_event();
  if (when && *when <= now.steady) connection->session().on_time(now);
  settle(connection, now);
}

void Connections::begin_stop() {
  stopping_ = true;
  untold_ = connections_.size();
  std::vector<ConnectionPtr> all;
  for (const auto& [number, connection] : connections_)
    all.push_back(connection);
  for (const ConnectionPtr& connection : all) {
    if (connection->is_open()) read_ready(connection);
  }
}

void Connections::tell(Connection& connection, session::Now now) {
  if (std::exchange(connection.notes.told_of_stop, true)) return;
  --untold_;
  connection.session().on_shutdown(now);
  progress_();
}

void Connections::tell_all() {
  const session::Now now = clock_now();
  std::vector<ConnectionPtr> all;
  for (const auto& [number, connection] : connections_)
    all.push_back(connection);
  for (const ConnectionPtr& connection : all) {
    if (!connection->is_open()) continue;
    tell(*connection, now);
    settle(connection, now);
  }
}

void Connections::close_all() {
  while (!connections_.empty()) {
    const ConnectionPtr connection = connections_.begin()->second;
    connection->set_close_cause(session::CloseReason::kShutdown, "");
    end(connection);
  }
}

void Connections::end(const ConnectionPtr& connection) {
  log_end(*connection);
  deadlines_.forget(connection->number());
  connections_.erase(connection->number());
  inbound_bytes_ -= std::exchange(connection->notes.inbound_bytes, 0);
  outgoing_bytes_ -= std::exchange(connection->notes.outgoing_bytes, 0);
  if (stopping_ && !std::exchange(connection->notes.told_of_stop, true)) --untold_;
  connection->close();
  if (stopping_) progress_();
}

void Connections::log_end(Connection& connection) {
  const session::CloseReason reason = connection.close_reason();
  if (reason == session::CloseReason::kProbe) {
    ++probes_;
    return;
  }
  const session::Now now = clock_now();
  log::Fields fields;
  const session::Session& session = connection.session();
  fields.add("id", connection.number()).add("peer", connection.peer()).add("user", session.user());
  fields.add("reason", to_text(reason));
  if (const std::string detail = connection.close_detail(); !detail.empty()) {
    fields.add("detail", detail);
  }
  const session::Session::Figures& figures = session.figures();
  const auto lasted =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.steady - connection.opened_at());
  fields.add("ms", std::int64_t{lasted.count()}).add("frames", figures.frames_in);
  fields.add("sends", figures.sends).add("deliveries", figures.deliveries);
  fields.add("bytes_in", figures.bytes_in).add("bytes_out", connection.bytes_out());
  // What a stop found no room for: a sender without receipts is not told otherwise.
  if (connection.notes.inbound_bytes > 0) {
    fields.add("unread", std::uint64_t{connection.notes.inbound_bytes});
  }
  if (figures.mended_lengths > 0) fields.add("mended_lengths", figures.mended_lengths);
  if (is_failure(reason)) {
    const auto left_out = failed_lines_.next(now.steady);
    if (!left_out) return;
    if (*left_out > 0) fields.add("more_before", *left_out);
  }
  log::write(is_failure(reason) ? log::Level::kWarning : log::Level::kInfo, "connection-end",
             fields);
}

Connections::ConnectionPtr Connections::find(std::uint64_t number) const {
  const auto found = connections_.find(number);
  return found == connections_.end() ? nullptr : found->second;
}

Connections::Figures Connections::figures() const {
  return {connections_.size(), total_,         probes_,
          turned_away_count_,  inbound_bytes_, outgoing_bytes_};
}

}  // namespace stompbox::net

#include "broker/net/connections.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>

#include <asio/post.hpp>

#include "broker/log/log.h"
#include "broker/net/asio_support.h"
#include "broker/net/web_socket_handshake.h"

namespace stompbox::net {
namespace {

// What one connection may write in its turn; the rest follows in the next one.
constexpr std::size_t kTurnBytesMax = 1024 * 1024;
constexpr std::size_t kTurnWritesMax = 16;
// Refused connections that are kept open at once, so that they can read why.
constexpr std::size_t kLingeringMax = 256;
constexpr std::chrono::milliseconds kTurnedAwayHold{1500};
// Since the last read or flush. Between two reads of one turn there is less, as a rule; where there
// is not, what is written early costs a system call more.
constexpr std::chrono::microseconds kRestMin{3};
// More are settled in a turn of their own: the sender waits, and the disk.
constexpr std::size_t kFlushedAtEndMax = 16;

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
                         const NetOptions& options)
    : io_(io),
      router_(router),
      porter_(porter),
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

void Connections::welcome(asio::ip::tcp::socket socket, Entrance& entrance) {
  ++total_;
  std::error_code error;
  socket.non_blocking(true, error);
  if (error) return;  // it is gone
  set_socket_options(socket);
  const session::Now now = clock_now();
  const std::uint64_t number = ++last_number_;
  const Connection::SessionParts parts{router_, *this, *this, buffers_, shared_};
  auto connection = std::make_shared<Connection>(number, std::move(socket), entrance, parts, now);
  const std::string refusal = may_come(connection->visitor(), entrance, now.steady);
  if (!refusal.empty()) {
    turn_away(std::move(connection->socket()), entrance, refusal);
    return;
  }
  connection->session().lengthen_hold(porter_.error_hold(connection->host()));
  connections_.emplace(number, connection);
  if (stopping_) {
    ++untold_;
    read_ready(connection);
  } else {
    settle(connection, now);
  }
}

// An empty text, or why not. What it lets in is counted by the entrance and the porter.
std::string Connections::may_come(const Visitor& visitor, Entrance& entrance,
                                  session::TimePoint now) {
  if (connections_.size() >= options_.connection_count_max) {
    return "This broker has as many connections as it may; try again later.";
  }
  if (std::string refusal = entrance.admit(now); !refusal.empty()) return refusal;
  std::string refusal = porter_.arrive(visitor);
  if (!refusal.empty()) entrance.count_out();
  return refusal;
}

// With TLS there is nothing that the peer could read before the handshake.
void Connections::turn_away(asio::ip::tcp::socket socket, const Entrance& entrance,
                            const std::string& sentence) {
  ++turned_away_count_;
  const Scheme scheme = entrance.scheme();
  std::string text;
  if (scheme == Scheme::kTcp || scheme == Scheme::kAuto) {
    text = error_frame("Too many connections", sentence);
  } else if (scheme == Scheme::kWs) {
    text = http_refusal("503 Service Unavailable", "", sentence);
  }
  std::error_code ignored;  // whatever reaches the peer is a courtesy
  socket.send(asio::buffer(text), 0, ignored);
  socket.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  let_linger(std::move(socket), kTurnedAwayHold);
  if (const auto left_out = turned_away_lines_.next(clock_now().steady)) {
    log::write(log::Level::kWarning, "connection-turned-away",
               log::Fields()
                   .add("listener", entrance.name())
                   .add("reason", sentence)
                   .add("connections", std::uint64_t{connections_.size()})
                   .add("more_before", *left_out));
  }
}

void Connections::let_linger(asio::ip::tcp::socket socket, std::chrono::milliseconds hold) {
  const std::uint64_t number = ++last_number_;
  lingering_.emplace(number, std::move(socket));
  set_deadline(number, clock_now().steady + hold);
  if (lingering_.size() <= kLingeringMax) return;
  deadlines_.forget(lingering_.begin()->first);
  lingering_.erase(lingering_.begin());
}

// A plain handler and no coroutine: ten thousand idle connections wait here, and the frames of a
// coroutine would be a fifth of their memory.
void Connections::await_readable(const ConnectionPtr& connection) {
  connection->notes.reading = true;
  connection->socket().async_wait(
      asio::ip::tcp::socket::wait_read,
      [this, connection](std::error_code error) { on_readable(connection, error); });
}

void Connections::on_readable(const ConnectionPtr& connection, std::error_code error) {
  connection->notes.reading = false;
  if (error || !connection->is_open()) return;
  if (may_read(*connection)) {
    read_ready(connection);
  } else {
    read_on(connection);
  }
}

void Connections::read_ready(const ConnectionPtr& connection) {
  const routing::Router::Burst burst(router_);
  session::Now now = clock_now();
  flushes_at_end_ = now.steady - last_event_end_ > kRestMin;
  in_hand_ = connection->number();
  auto outcome = Connection::ReadOutcome::kMore;
  for (std::size_t reads = 0; reads < options_.reads_in_a_row; ++reads) {
    if (outcome != Connection::ReadOutcome::kMore || !may_read(*connection)) break;
    outcome = connection->read(scratch_, now);
  }
  in_hand_ = 0;
  const bool at_the_end = outcome != Connection::ReadOutcome::kMore || connection->input_ended();
  connection->notes.heard_out = stopping_ && at_the_end;
  if (std::exchange(flushes_at_end_, false) && !woken_.empty()) {
    if (woken_.size() <= kFlushedAtEndMax) {
      flush_woken();
      now = clock_now();
    } else {
      post_flush();
    }
  }
  if (connection->is_open()) settle(connection, now);
  last_event_end_ = session::TimePoint::clock::now();
}

void Connections::settle(const ConnectionPtr& connection, session::Now now) {
  session::Session& session = connection->session();
  in_hand_ = connection->number();
  if (std::exchange(connection->notes.woken, false)) session.on_wake(now);
  // The rest of a frame that has begun is on its way; begin_stop()'s caller waits so long only.
  const bool has_said_all = connection->input_ended() || !session.mid_frame();
  if (connection->notes.heard_out && has_said_all) tell(*connection, now);
  write_out(connection, now);
  connection->shut_down_if_wished();
  in_hand_ = 0;
  if (session.done()) {
    end(connection);
    keep_inbound_bound(now);
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
  for (std::size_t writes = 0; connection->wants_write(); ++writes) {
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
  return has_room_for(connection);
}

void Connections::read_on(const ConnectionPtr& connection) {
  if (!connection->is_open()) return;
  judge_beats(*connection);
  if (connection->notes.reading || !may_read(*connection)) return;
  await_readable(connection);
}

void Connections::wake(std::uint64_t session) {
  const ConnectionPtr connection = find(session);
  if (!connection) return;
  connection->notes.woken = true;
  woken_.push_back(session);
  if (!flushes_at_end_) post_flush();
}

void Connections::post_flush() {
  if (std::exchange(flush_posted_, true)) return;
  asio::post(io_, [this] { flush_woken(); });
}

void Connections::flush_woken() {
  flush_posted_ = false;
  const std::vector<std::uint64_t> woken = std::exchange(woken_, {});
  const session::Now now = clock_now();
  for (const std::uint64_t number : woken) {
    const routing::Router::Burst burst(router_);
    const ConnectionPtr connection = find(number);
    if (connection && connection->notes.woken) settle(connection, now);
  }
  last_event_end_ = session::TimePoint::clock::now();
}

void Connections::check_login(std::uint64_t session, const session::Credentials& credentials) {
  const ConnectionPtr connection = find(session);
  assert(connection);
  porter_.check(connection->visitor(), credentials, [this, session](session::Admitted admitted) {
    on_answer(session, std::move(admitted));
  });
}

void Connections::denied(std::uint64_t session, const session::Denial& denial) {
  const ConnectionPtr connection = find(session);
  assert(connection);
  porter_.denied(connection->visitor(), connection->session().user(), denial);
  connection->session().lengthen_hold(porter_.error_hold(connection->host()));
}

void Connections::on_answer(std::uint64_t session, session::Admitted admitted) {
  const ConnectionPtr connection = find(session);
  if (!connection) return;  // it did not wait
  const session::Now now = clock_now();
  if (admitted.result == session::LoginResult::kWrong) {
    connection->session().lengthen_hold(porter_.error_hold(connection->host()));
  }
  const bool within_event = in_hand_ == session;
  connection->session().on_login(std::move(admitted), now);
  if (!within_event) settle(connection, now);
}

void Connections::set_deadline(Connection& connection) {
  const auto when = connection.session().next_event();
  if (when) {
    set_deadline(connection.number(), *when);
  } else {
    deadlines_.forget(connection.number());
  }
}

void Connections::set_deadline(std::uint64_t number, session::TimePoint when) {
  deadlines_.set(number, when);
  if (!timer_at_ || when < *timer_at_) timer_.cancel();
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
    if (lingering_.erase(number) == 0) on_inbound_patience(now);
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
  porter_.leave(connection->visitor());
  connection->entrance().count_out();
  deadlines_.forget(connection->number());
  connections_.erase(connection->number());
  inbound_bytes_ -= std::exchange(connection->notes.inbound_bytes, 0);
  outgoing_bytes_ -= std::exchange(connection->notes.outgoing_bytes, 0);
  if (stopping_ && !std::exchange(connection->notes.told_of_stop, true)) --untold_;
  if (connection->was_refused_by_wire() && !stopping_) {
    const auto hold = connection->entrance().options().session.error_hold;
    let_linger(connection->close_but_keep_socket(),
               std::max(hold, porter_.error_hold(connection->host())));
  } else {
    connection->close();
  }
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
  // What a stop had no time or room for: a sender without receipts is not told otherwise.
  const std::uint64_t unread =
      figures.unread_bytes + session.held_bytes() - session.transaction_bytes();
  if (unread > 0) fields.add("unread", unread);
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

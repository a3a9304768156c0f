#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

#include "broker/log/log.h"
#include "broker/net/connections.h"

// The bounds on what all connections together make us hold (promise P9).
//
// Input: at the bound, a connection that holds more than its fair share is not read until there is
// room again; small frames and logins go on. Unfinished frames alone may fill the bound, and then
// nothing would ever free it: after `inbound_patience` the largest is closed.
// Who does not read the answers of TLS and WebSocket is not read either.
// Output: at the bound the connection with the most is closed as too slow, at once. A body that is
// sent to many counts for each of them, though it is held once.
namespace stompbox::net {
namespace {

// In the deadlines, where connections begin with 1.
constexpr std::uint64_t kInboundPatience = 0;
constexpr std::size_t kFairBytesMin = 4096;
// Of a peer that sends pings and does not read our pongs.
constexpr std::size_t kAnswerBytesMax = 64 * 1024;

}  // namespace

void Connections::count_bytes(Connection& connection) {
  Connection::Notes& notes = connection.notes;
  const std::size_t inbound = connection.session().held_bytes();
  const std::size_t outgoing =
      connection.session().outbox().waiting_bytes() + connection.answer_bytes();
  inbound_bytes_ += inbound - std::exchange(notes.inbound_bytes, inbound);
  outgoing_bytes_ += outgoing - std::exchange(notes.outgoing_bytes, outgoing);
}

std::size_t Connections::fair_inbound_bytes() const {
  const std::size_t count = std::max<std::size_t>(1, connections_.size());
  return std::max(kFairBytesMin, options_.inbound_bytes_max / (2 * count));
}

void Connections::keep_outgoing_bound(session::Now now) {
  while (outgoing_bytes_ > options_.outgoing_bytes_max) {
    close_largest(&Connection::Notes::outgoing_bytes, session::CloseReason::kSlowConsumer,
                  "the output of all connections is at its bound, and this one held the most", now);
  }
}

void Connections::keep_inbound_bound(session::Now now) {
  if (inbound_is_over()) {
    if (std::exchange(inbound_paused_, true)) return;
    deadlines_.set(kInboundPatience, now.steady + options_.inbound_patience);
    timer_.cancel();
  } else if (std::exchange(inbound_paused_, false)) {
    deadlines_.forget(kInboundPatience);
    read_all_on();
  }
}

bool Connections::has_room_for(const Connection& connection) const {
  if (connection.answer_bytes() > kAnswerBytesMax) return false;
  return !inbound_is_over() || connection.notes.inbound_bytes <= fair_inbound_bytes();
}

// The silence of a peer that we do not read is ours.
void Connections::judge_beats(Connection& connection) {
  const bool paused = !has_room_for(connection);
  if (std::exchange(connection.notes.beats_paused, paused) == paused) return;
  if (paused) {
    connection.session().pause_beats(clock_now());
  } else {
    connection.session().resume_beats(clock_now());
  }
  set_deadline(connection);
}

void Connections::read_all_on() {
  for (const auto& [number, connection] : connections_)
    read_on(connection);
}

void Connections::on_inbound_patience(session::Now now) {
  if (!inbound_is_over()) return keep_inbound_bound(now);
  close_largest(&Connection::Notes::inbound_bytes, session::CloseReason::kNoRoom,
                "the input of all connections is at its bound, and this one held the most", now);
  inbound_paused_ = false;
  keep_inbound_bound(now);
  if (!inbound_is_over()) read_all_on();
}

void Connections::close_largest(std::size_t Connection::Notes::*bytes, session::CloseReason reason,
                                const char* detail, session::Now now) {
  assert(!connections_.empty());
  const auto largest = std::max_element(connections_.begin(), connections_.end(),
                                        [bytes](const auto& a, const auto& b) {
                                          return a.second->notes.*bytes < b.second->notes.*bytes;
                                        });
  const ConnectionPtr connection = largest->second;
  connection->set_close_cause(reason, detail);
  connection->session().on_io_error(now);
  end(connection);
}

}  // namespace stompbox::net

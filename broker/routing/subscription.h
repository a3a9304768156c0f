#pragma once

#include <cstddef>
#include <deque>

#include "broker/routing/in_flight.h"
#include "broker/routing/router.h"

namespace stompbox::routing {

class Queue;
class Topic;

// One consumer's interest in one destination. Owned by the router's table; the queue or topic and
// the peer know it by pointer until it ends.
struct Subscription {
  Subscription(std::size_t& in_flight_total, std::size_t in_flight_total_max)
      : in_flight_total_bytes_max(in_flight_total_max), in_flight(in_flight_total) {}

  const std::size_t in_flight_total_bytes_max;
  SubscriptionId id;
  PeerId peer;
  Consumer* consumer = nullptr;
  std::uint32_t tag = 0;
  AckMode ack_mode = AckMode::kAuto;
  Credit credit;
  Queue* queue = nullptr;  // exactly one of these two, until it ends
  Topic* topic = nullptr;
  bool started = false;   // its SUBSCRIBE's receipt is out
  bool ended = false;     // unsubscribed: only acknowledging is left
  bool in_ring = false;   // stands in its queue's ring of consumers with credit
  bool too_slow = false;  // its consumer has been told
  InFlight in_flight;
  std::deque<Entry> backlog;  // topics: what waits for credit
  std::size_t backlog_bytes = 0;

  // One message always fits, however large. Beyond the bound on all subscriptions together each may
  // have one: its own ACK brings it back here, so none is forgotten.
  [[nodiscard]] bool has_credit() const {
    const bool others_leave_room = in_flight.total_bytes() < in_flight_total_bytes_max;
    return started && !ended && in_flight.count() < credit.count_max &&
           in_flight.bytes() < credit.bytes_max && (in_flight.count() == 0 || others_leave_room);
  }
};

}  // namespace stompbox::routing

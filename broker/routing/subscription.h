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

  // One message always fits, however large.
  [[nodiscard]] bool has_credit() const {
    return started && !ended && in_flight.count() < credit.count_max &&
           in_flight.bytes() < credit.bytes_max;
  }
};

}  // namespace stompbox::routing

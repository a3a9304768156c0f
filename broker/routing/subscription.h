#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <vector>

#include "broker/routing/fetch.h"
#include "broker/routing/in_flight.h"
#include "broker/routing/router.h"
#include "broker/routing/seat.h"

namespace stompbox::routing {

// One consumer's interest in one destination or several. Owned by the router's table; its queues
// and topics and the peer know it by pointer until it ends.
struct alignas(kCacheLineBytes) Subscription {
  Subscription(std::size_t& in_flight_total, std::size_t in_flight_total_max)
      : in_flight_total_bytes_max(in_flight_total_max), in_flight(in_flight_total) {}

  // First what each delivery and each ACK look at, in lines of the processor's cache: a line of
  // its own, two with the seat, one and two more with what is in flight.
  static constexpr std::size_t kHotLines = 6;
  const std::size_t in_flight_total_bytes_max;
  Consumer* consumer = nullptr;
  const void* consumer_memory = nullptr;  // SubscribeRequest::memory
  SubscriptionId id;
  std::uint32_t tag = 0;
  std::int32_t priority = 0;
  AckMode ack_mode = AckMode::kAuto;
  Exclusivity exclusivity = Exclusivity::kShared;
  Locality locality = Locality::kAll;
  bool hears_topics = false;
  bool started = false;   // its SUBSCRIBE's receipt is out
  bool ended = false;     // unsubscribed: only acknowledging is left
  bool too_slow = false;  // its consumer has been told
  bool browses = false;   // looks at a queue and takes nothing
  Credit credit;
  std::list<Entry> backlog;  // of topics, or looked at: what waits for credit; mostly empty
  Seats seats;               // one for each queue
  InFlight in_flight;

  std::size_t backlog_bytes = 0;
  std::uint64_t lost = 0;  // of its backlog, since the last delivery
  PeerId peer;
  std::shared_ptr<const Selector> selector;  // null: everything

  // One message always fits, however large. Beyond the bound on all subscriptions together each may
  // have one: its own ACK brings it back here, so none is forgotten.
  [[nodiscard]] bool has_credit() const {
    const bool others_leave_room = in_flight.total_bytes() < in_flight_total_bytes_max;
    return started && !ended && in_flight.count() < credit.count_max &&
           in_flight.bytes() < credit.bytes_max && (in_flight.count() == 0 || others_leave_room);
  }
};

}  // namespace stompbox::routing

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/routing/policy.h"
#include "broker/routing/queue.h"

namespace stompbox::routing {

// What is to be appended to a queue together, and what the same transaction takes out of it.
struct RoomAsked {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t freed_messages = 0;
  std::uint64_t freed_bytes = 0;
};

struct WaitingSender {
  PeerId peer;
  RoomAsked room;
};

// What the router knows of a queue beyond its messages.
struct QueueCare {
  Policy policy;
  std::string attributes;              // as the store has them
  bool takes_letters = false;          // a dead-letter queue
  bool counts = true;                  // for the bound on the number of queues
  bool stays = false;                  // however long it is idle
  bool is_temporary = false;           // gone with its owner, and never more than spilled
  std::int64_t last_use_ms = 0;        // a SEND or a consumer
  std::int64_t restless_since_ms = 0;  // the same, until its memory was let go; 0: it was
  std::int64_t alarm_ms = 0;           // the next time that it is looked after; 0: none
  std::uint64_t expired = 0;
  std::uint64_t dropped = 0;
  std::vector<WaitingSender> waiting_senders;  // for room in it
  std::vector<SubscriptionId> followers;       // browsers that are shown what comes
  std::size_t drainages = 0;                   // 0 or 1: it is being purged or moved
};

// All queues of a router are of this kind. Only data is added, so that Queue stays free of what is
// the router's business, and the way from a message in flight to it costs nothing.
class RoutedQueue final : public Queue {
 public:
  using Queue::Queue;
  QueueCare care;
};

[[nodiscard]] inline RoutedQueue& routed(Queue& queue) {
  return static_cast<RoutedQueue&>(queue);
}

}  // namespace stompbox::routing

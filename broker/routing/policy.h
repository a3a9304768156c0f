#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/routing/destination.h"
#include "broker/routing/pattern.h"

namespace stompbox::routing {

enum class WhenFull : std::uint8_t {
  kWait,        // a SEND without receipt waits unread; one with a receipt is refused
  kDropOldest,  // the oldest waiting message makes room, and is counted
};
enum class WhenSlow : std::uint8_t {
  kDropOldest,  // the subscription loses its oldest waiting message; the next says how many
  kClose,       // its peer is closed with an ERROR
};

// What holds for the queues or topics of a pattern. Every member has the default that holds where
// no policy matches.
struct Policy {
  std::uint64_t messages_max = 0;        // waiting and in flight; 0: no bound
  std::uint64_t bytes_max = 0;           // 0: no bound
  std::chrono::milliseconds age_max{0};  // messages expire then at the latest; 0: never
  WhenFull when_full = WhenFull::kWait;
  // Queue for what cannot be delivered; `*` stands for the queue's name. Empty: the broker's own.
  std::string dead_letter_queue;
  bool expired_to_dead_letters = false;  // else they are counted and dropped
  std::uint32_t redeliveries_max = 0;    // then a dead letter ("redelivered too often"); 0: never
  std::chrono::milliseconds redelivery_delay{0};
  double redelivery_backoff = 1.0;  // the delay is multiplied by it each time
  std::chrono::milliseconds redelivery_delay_max{60'000};
  // A queue that was empty and without consumers so long disappears; 0: never.
  std::chrono::milliseconds idle_max{300'000};
  // Topics: what waits for one subscription without credit.
  std::uint64_t backlog_count_max = 10'000;
  std::uint64_t backlog_bytes_max = 16ULL * 1024 * 1024;
  WhenSlow when_slow = WhenSlow::kClose;
};

// One entry of the configuration: only what it names is changed.
struct PolicyRule {
  DestinationKind kind = DestinationKind::kQueue;  // kQueue or kTopic
  std::string pattern;
  std::optional<std::uint64_t> messages_max, bytes_max;
  std::optional<std::chrono::milliseconds> age_max;
  std::optional<WhenFull> when_full;
  std::optional<std::string> dead_letter_queue;
  std::optional<bool> expired_to_dead_letters;
  std::optional<std::uint32_t> redeliveries_max;
  std::optional<std::chrono::milliseconds> redelivery_delay;
  std::optional<double> redelivery_backoff;
  std::optional<std::chrono::milliseconds> redelivery_delay_max;
  std::optional<std::chrono::milliseconds> idle_max;
  std::optional<std::uint64_t> backlog_count_max, backlog_bytes_max;
  std::optional<WhenSlow> when_slow;
};

// First match wins, member by member: a rule that does not name a member leaves it to later ones.
// The backlog of a durable subscription and temporary destinations are judged like the queue or
// topic of their name.
class PolicyTable {
 public:
  PolicyTable() = default;
  PolicyTable(Policy queues, Policy topics, const std::vector<PolicyRule>& rules);

  [[nodiscard]] Policy find(DestinationKind kind, std::string_view name) const;

 private:
  struct Row {
    Pattern pattern;
    PolicyRule rule;
  };
  Policy queues_;
  Policy topics_;
  std::vector<Row> rows_;
};

}  // namespace stompbox::routing

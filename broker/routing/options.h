#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/routing/policy.h"
#include "broker/routing/profile.h"

namespace stompbox::routing {

struct RoutingOptions {
  // Waiting messages that a queue keeps in memory; the rest of its backlog is in the store only.
  std::size_t resident_count_max = 1000;
  std::size_t resident_bytes_max = 4 * 1024 * 1024;
  // The same for all queues together (promise P9).
  std::size_t resident_total_bytes_max = 64 * 1024 * 1024;
  // What all subscriptions together may have in flight; beyond it each may have one message.
  std::size_t in_flight_total_bytes_max = 512 * 1024 * 1024;
  // What waits for the committer before peers are not read any more.
  std::size_t journal_bytes_max = 8 * 1024 * 1024;
  std::size_t queue_count_max = 100'000;
  std::size_t topic_count_max = 100'000;
  // Queues of the broker's own stages: the bound on their number is for everybody else's.
  std::vector<std::string> always_allowed_queues;
  std::string dead_letter_queue = "dead-letter";
  const Profile* profile = &default_profile();
  std::vector<PolicyRule> policies;
  // What holds where no rule of `policies` says otherwise, by kind.
  Policy queue_policy;
  Policy topic_policy;
  // What all topics together keep for subscriptions without credit; beyond it the largest suffers.
  std::size_t topic_backlog_total_bytes_max = 256 * 1024 * 1024;
  // The dead-letter queues: beyond it the oldest letters make room, and are counted.
  std::uint64_t dead_letter_bytes_max = 1024ULL * 1024 * 1024;
  std::size_t retained_bytes_max = 64 * 1024 * 1024;
  std::size_t scheduled_count_max = 100'000;  // and the SEND of one more gets an ERROR
};

}  // namespace stompbox::routing

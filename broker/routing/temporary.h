#pragma once

#include <cassert>
#include <string>
#include <string_view>

#include "broker/routing/destination.h"

// Names that only the broker itself gives. No SEND or SUBSCRIBE can spell one: an ordinary name
// does not begin like this (view_destination). Temporary destinations are called OWNER.NAME by
// everybody but their owner, and an owner's name has no dot.
namespace stompbox::routing {

inline constexpr std::string_view kTempQueuePrefix = "/temp-queue/";
inline constexpr std::string_view kTempTopicPrefix = "/temp-topic/";
inline constexpr std::string_view kDurablePrefix = "/dsub/";
inline constexpr std::string_view kScheduleQueue = "/scheduled";
// What the store keeps with a dead-letter queue that the broker itself made by a rule's pattern.
inline constexpr std::string_view kMadeForLetters = "dead-letters\n";
// Who sends here cancels scheduled messages (fact 2.10).
inline constexpr std::string_view kScheduleTopic = "ActiveMQ.Scheduler.Management";

// OWNER of OWNER.NAME; empty if it is not of that form.
[[nodiscard]] inline std::string_view owner_of(std::string_view remote_name) {
  const std::size_t dot = remote_name.find('.');
  return dot == std::string_view::npos ? std::string_view{} : remote_name.substr(0, dot);
}

// The name of the queue or topic behind a destination. `owner`: of the peer that names it.
[[nodiscard]] inline std::string internal_name(const DestinationView& destination,
                                               std::string_view owner) {
  const auto joined = [&destination](std::string_view prefix, std::string_view middle) {
    std::string name(prefix);
    name.append(middle);
    return name.append(destination.name);
  };
  switch (destination.kind) {
    case DestinationKind::kQueue:
    case DestinationKind::kTopic: return std::string(destination.name);
    case DestinationKind::kDurable: return joined(kDurablePrefix, {});
    case DestinationKind::kTempQueue: return joined(kTempQueuePrefix, std::string(owner) + ".");
    case DestinationKind::kTempTopic: return joined(kTempTopicPrefix, std::string(owner) + ".");
    case DestinationKind::kRemoteTempQueue: return joined(kTempQueuePrefix, {});
    case DestinationKind::kRemoteTempTopic: return joined(kTempTopicPrefix, {});
  }
  assert(false);
  return {};
}

[[nodiscard]] inline bool is_topic(DestinationKind kind) {
  return kind == DestinationKind::kTopic || kind == DestinationKind::kTempTopic ||
         kind == DestinationKind::kRemoteTempTopic;
}

[[nodiscard]] inline bool is_temporary(std::string_view internal) {
  return internal.starts_with(kTempQueuePrefix) || internal.starts_with(kTempTopicPrefix);
}

}  // namespace stompbox::routing

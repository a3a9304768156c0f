#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "broker/routing/router.h"
#include "protocol/version.h"
#include "storage/queue/message.h"

namespace stompbox::session {

// A stretch of an outbox.
struct OutboxChunk {
  std::string bytes;          // used when message is null
  queue::MessagePtr message;  // its body
  [[nodiscard]] const std::string& text() const { return message ? message->body : bytes; }
};

// An auto delivery that is done when the kernel has taken the outbox up to there.
struct Transit {
  std::uint64_t position = 0;
  routing::SubscriptionId subscription;
  routing::DeliveryId delivery;
};

// The lines of a MESSAGE that are the same for all who get it. Made when one is delivered for the
// second time in a row, so that a queue pays nothing for what a topic saves. Holds one message.
class CommonLines {
 public:
  // Whether `before` and `behind` are those of this message now, or are to be made: then `before`
  // is empty.
  [[nodiscard]] bool fit(const queue::MessagePtr& message, protocol::Version version);

  std::string before;  // message-id, destination
  std::string behind;  // content-length, what its sender said, the blank line

 private:
  queue::MessagePtr held_;
  const queue::Message* seen_ = nullptr;  // only compared
  protocol::Version version_ = protocol::Version::k10;
};

// What the sessions of one loop share: memory that is used again, so that a busy session allocates
// nothing and an idle one keeps nothing. Bounded: some MiB in all. Outlives them.
struct Shared {
  static constexpr std::size_t kChunksMax = 64;
  static constexpr std::size_t kTransitsMax = 64;

  std::list<OutboxChunk> chunks;  // empty, with their memory
  std::vector<std::vector<Transit>> transits;
  CommonLines lines;
};

}  // namespace stompbox::session

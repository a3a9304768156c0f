#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

// What a producer sent, as it waits in a queue, on disk and on its way out. Immutable once made.
namespace stompbox::queue {

// Boot epoch (persisted and synced at every start) and a counter in one number: unique for ever in
// one store and growing with arrival, though withdrawn and non-durable messages leave no trace on
// disk.
struct MessageId {
  std::uint64_t value = 0;

  static constexpr unsigned kCounterBits = 40;
  static constexpr MessageId make(std::uint32_t epoch, std::uint64_t counter) {
    return {(static_cast<std::uint64_t>(epoch) << kCounterBits) | counter};
  }
  [[nodiscard]] constexpr std::uint32_t epoch() const {
    return static_cast<std::uint32_t>(value >> kCounterBits);
  }
  [[nodiscard]] constexpr std::uint64_t counter() const {
    return value & ((std::uint64_t{1} << kCounterBits) - 1);
  }
  friend auto operator<=>(const MessageId&, const MessageId&) = default;
};

enum class Persistence : std::uint8_t {
  kDurable,   // survives kill -9 once its append is committed
  kVolatile,  // `persistent:false`: may be written to spare memory, never found after a start
};

struct Message {
  MessageId id;
  std::string destination;  // as the SEND named it (fact F5)
  // The headers that travel (facts F3, F4), as STOMP 1.2 header lines: "name:value\n" each.
  std::string header_block;
  bool block_is_plain = true;  // no escape in the block: it reads the same in every version
  std::string body;
  Persistence persistence = Persistence::kDurable;
  std::int64_t arrived_ms = 0;  // wall clock, since the epoch of UNIX
  std::int64_t expires_ms = 0;  // the same clock; 0: never

  // What it counts for in every bound on bytes.
  [[nodiscard]] std::size_t bytes() const { return body.size() + header_block.size() + 64; }
};

using MessagePtr = std::shared_ptr<const Message>;

}  // namespace stompbox::queue

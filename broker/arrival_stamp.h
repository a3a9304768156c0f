#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/frame.h"

// When a message of a foreign broker arrived, as a number that several drains agree on.
namespace stompbox {

// What a drain writes on a dead letter for a foreign broker, which takes it for a new message: its
// stamp, as ArrivalStamps::text() has it; anything else there counts for nothing. Replayed, its
// catalog is as old as it was (promise P6).
inline constexpr std::string_view kOriginalArrival = "original-arrival";

// Milliseconds of UNIX time that the message itself has: that of its first arrival if it has died,
// else `producer-timestamp` of its producer, that of its arrival at a Stompbox
// (client::kArrivalHeader), `timestamp_in_ms` or `timestamp` of another broker; each of these a
// number of seconds or milliseconds, or ISO 8601 in UTC. Nothing if it has none.
[[nodiscard]] std::optional<std::int64_t> own_time_ms(const protocol::Headers& headers);

// Its place among those of its millisecond: of one that died the place that it had, of a message
// from a Stompbox its number among those that arrived there, out of its message-id.
[[nodiscard]] std::optional<std::uint64_t> own_place(const protocol::Headers& headers);

// Gives each message its stamp: its own time, never beyond ours, or else ours; and behind it its
// place, or else a count, so that those of one millisecond stay in their order.
class ArrivalStamps {
 public:
  [[nodiscard]] std::uint64_t next(std::optional<std::int64_t> own_ms, std::int64_t wall_ms,
                                   std::optional<std::uint64_t> place = std::nullopt);

  [[nodiscard]] static std::int64_t time_ms(std::uint64_t stamp);
  [[nodiscard]] static std::string text(std::uint64_t stamp);  // "1700000001500-17"
  [[nodiscard]] static std::optional<std::uint64_t> read(std::string_view text);

 private:
  std::uint64_t count_ = 0;
};

}  // namespace stompbox

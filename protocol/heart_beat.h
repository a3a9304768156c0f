#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace stompbox::protocol {

// The two numbers of a heart-beat header, milliseconds; 0 means no (fact E1).
struct HeartBeat {
  std::chrono::milliseconds sends_every{0};
  std::chrono::milliseconds wants_every{0};

  friend bool operator==(const HeartBeat&, const HeartBeat&) = default;
};

// Nothing if malformed. Values above one day count as one day.
[[nodiscard]] std::optional<HeartBeat> parse_heart_beat(std::string_view text);
[[nodiscard]] std::string to_text(const HeartBeat& heart_beat);

struct AgreedBeats {
  std::chrono::milliseconds from_client{0};  // 0: none expected
  std::chrono::milliseconds to_client{0};    // 0: none owed

  friend bool operator==(const AgreedBeats&, const AgreedBeats&) = default;
};

// Each direction is 0 if either side says 0, else the larger of the two (fact E2).
[[nodiscard]] AgreedBeats agree(const HeartBeat& client, const HeartBeat& server);

}  // namespace stompbox::protocol

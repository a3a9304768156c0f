#pragma once

#include <string>
#include <string_view>

#include "storage/result.h"

namespace stompbox::routing {

enum class DestinationKind { kQueue, kTopic };

struct Destination {
  DestinationKind kind = DestinationKind::kQueue;
  std::string name;  // without the prefix

  friend bool operator==(const Destination&, const Destination&) = default;
};

// The same without a copy of the name: lives as long as the text it was parsed from.
struct DestinationView {
  DestinationKind kind = DestinationKind::kQueue;
  std::string_view name;
};

// "/queue/NAME" or "/topic/NAME"; anything else is kInvalid with a sentence that says what is
// right.
[[nodiscard]] storage::Result<Destination> parse_destination(std::string_view text);
[[nodiscard]] storage::Result<DestinationView> view_destination(std::string_view text);
[[nodiscard]] std::string to_text(const Destination& destination);

}  // namespace stompbox::routing

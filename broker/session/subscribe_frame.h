#pragma once

#include <optional>
#include <string>
#include <variant>

#include "broker/routing/router.h"
#include "broker/session/options.h"
#include "broker/session/refusal.h"
#include "protocol/frame.h"
#include "protocol/version.h"

namespace stompbox::session {

// What a SUBSCRIBE asks for.
struct SubscribeWish {
  std::optional<std::string> id;
  std::string destination_text;
  routing::Destination destination;
  routing::AckMode ack_mode = routing::AckMode::kAuto;
  routing::Credit credit;
};

// Headers that change which messages come, and that we do not have yet, are refused, never ignored.
[[nodiscard]] std::variant<SubscribeWish, Refusal> read_subscribe(const protocol::Headers& headers,
                                                                  protocol::Version version,
                                                                  const SessionOptions& options);

}  // namespace stompbox::session

#pragma once

#include <optional>

#include "broker/routing/router.h"
#include "broker/session/refusal.h"
#include "protocol/frame.h"

namespace stompbox::session {

// Nothing if the SEND can be made a Draft. Refused are headers whose meaning we do not have yet:
// a message that should come tomorrow must not come today.
[[nodiscard]] std::optional<Refusal> check_send(const protocol::Frame& frame);

// The message of a checked SEND. Headers travel as they are, repeated ones too, but for those that
// belong to the frame or that a MESSAGE sets itself (facts F3, F4, 2.9). The body is moved.
[[nodiscard]] routing::Draft make_draft(protocol::Frame&& frame);

}  // namespace stompbox::session

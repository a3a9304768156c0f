#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "broker/routing/destination.h"
#include "broker/routing/router.h"
#include "broker/session/refusal.h"
#include "protocol/frame.h"

namespace stompbox::session {

// What a SEND asks for. Views live as long as the frame's headers.
struct SendWish {
  routing::Draft draft;
  std::string_view destination_text;
  routing::DestinationView destination;       // of a single one
  std::vector<routing::Destination> members;  // of a composite destination, else empty
  std::optional<std::string_view> receipt;
  std::optional<std::string_view> transaction;
  std::optional<std::string_view> reply_queue;  // the reply-to, if a /temp-queue/ of its own
  bool manages_schedules = false;               // a letter to the scheduler (fact 2.10)
  bool names_an_origin = false;                 // says where a dead letter is to go back to
};

// Who sends, and when.
struct SendContext {
  const routing::Profile& profile;
  std::string_view owner;  // of temporary destinations
  std::int64_t now_ms = 0;
};

// One pass over the headers. They travel as they are, repeated ones too, but for those that belong
// to the frame or that a MESSAGE sets itself (facts F3, F4, 2.9), and a reply-to that only the
// sender understands. The body is moved out of the frame, its headers stay. Refused is what would
// mean something else here than where it came from: a message for tomorrow must not come today.
[[nodiscard]] std::variant<SendWish, Refusal> read_send(protocol::Frame& frame,
                                                        const SendContext& context);

// Takes away what says where a dead letter is to go back to.
void forget_origin(routing::Draft& draft);

// One message a member; the destination is the member's.
[[nodiscard]] std::vector<routing::Draft> split_draft(routing::Draft&& draft,
                                                      const std::vector<routing::Destination>& to);

}  // namespace stompbox::session

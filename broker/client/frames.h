#pragma once

#include <string>

#include "protocol/frame.h"

// What both clients of this room make and read of frames: Client, which waits, and Dialogue, which
// does not.
namespace stompbox::client {

[[nodiscard]] protocol::Frame make_frame(protocol::Command command);

// What an ERROR says, 500 bytes and dots at most: some brokers send a whole stack trace.
[[nodiscard]] std::string text_of_error(const protocol::Frame& error);

}  // namespace stompbox::client

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/frame.h"
#include "protocol/version.h"

namespace stompbox::protocol {

// Appends "name:value\n" in the receiver's dialect (facts B5, B7): 1.2 escapes \\ \n \r :, 1.1 the same
// but for CR, 1.0 has no escapes: a LF in a name or value becomes a blank, a CR too.
void append_header(std::string& out, Version version, std::string_view name, std::string_view value);

// A whole frame, content-length included when there is a body. CONNECT, STOMP and CONNECTED carry no
// escapes (fact B6). Used for everything but MESSAGE, and by the client.
void append_frame(std::string& out, Version version, const Frame& frame);

// A block of header lines in 1.2 form ("name:value\n" each), the one form that messages are kept in.
// `block_is_plain` says that no byte of it is an escape, so that it is the same in every version.
void append_block_for(std::string& out, Version version, std::string_view block, bool block_is_plain);

// Whether a header written into a block needs an escape.
[[nodiscard]] bool needs_escape(std::string_view text);

// The headers of a 1.2 block, decoded.
[[nodiscard]] Headers parse_block(std::string_view block);

}  // namespace stompbox::protocol

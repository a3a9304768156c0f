#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/frame.h"
#include "protocol/version.h"

namespace stompbox::protocol {

// Appends "name:value\n" in the receiver's dialect (facts B5, B7): 1.2 escapes \\ \n \r :, 1.1 the
// same but for CR, 1.0 has no escapes: a LF in a name or value becomes a blank, a CR too, and the
// ':' of a name (it would end the name early: a peer's header could then pass for another one). A
// NUL, which no version can express, becomes a blank.
void append_header(std::string& out, Version version, std::string_view name,
                   std::string_view value);

// A whole frame. When there is a body, the first header is its content-length (first, because the
// Ruby gem takes whatever ends in that name, fact C9); a content-length among the frame's headers
// is left out. CONNECT, STOMP and CONNECTED carry no escapes (fact B6). Used for everything but
// MESSAGE, and by the client.
void append_frame(std::string& out, Version version, const Frame& frame);

// A block of header lines in 1.2 form ("name:value\n" each), the one form that messages are kept
// in. `block_is_plain` says that no byte of it is an escape, so that it is the same in every
// version. Appends it in the receiver's dialect; the blank line is the caller's.
void append_block_for(std::string& out, Version version, std::string_view block,
                      bool block_is_plain);

// Whether a name or value written into a block is changed by it: escaped, or blanked if a NUL.
[[nodiscard]] bool needs_escape(std::string_view text);

// The headers of a 1.2 block, decoded. Lenient, since blocks come back from disk: what is no escape
// stays, a line without a colon is a name with an empty value.
[[nodiscard]] Headers parse_block(std::string_view block);

}  // namespace stompbox::protocol

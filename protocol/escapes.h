#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/version.h"

// The escapes of header names and values (facts B1 to B5, B7).
namespace stompbox::protocol {

// Which part of a header line: a ':' in a name cannot be sent to a 1.0 peer, in a value it can.
enum class HeaderPart { kName, kValue };

// Where the first byte stands that cannot go out as it is in 1.2: \ LF CR ':' or NUL; npos if none.
[[nodiscard]] std::size_t find_special(std::string_view text);

// Appends `text` decoded: \n \c \\ and, in 1.2, \r. At the first undefined escape it stops and says
// false; `text` is then cut to what begins with that escape.
[[nodiscard]] bool append_unescaped(std::string& out, Version version, std::string_view& text);

// The same, undefined escapes as they stand.
void append_unescaped_leniently(std::string& out, Version version, std::string_view text);

// Appends `text` in the form of `version`. What that cannot express becomes a blank: a NUL in every
// version; LF, CR and the ':' of a name in 1.0. The CR of 1.1 goes out raw.
void append_escaped(std::string& out, Version version, HeaderPart part, std::string_view text);

}  // namespace stompbox::protocol

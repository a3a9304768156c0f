#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stompbox::protocol {

// The detail of a kBadCommand: what came instead of a command, and what the peer may have meant (an
// HTTP request, lower case). `line` is the line or what has come of it; the text depends on its
// first `command_bytes_max` bytes up to a NUL or LF alone, so it is the same however the input was
// cut.
[[nodiscard]] std::string describe_bad_command(std::string_view line,
                                               std::size_t command_bytes_max);

}  // namespace stompbox::protocol

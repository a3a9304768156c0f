#pragma once

#include <string>
#include <string_view>

namespace stompbox::session {

// Why a frame is not obeyed: the texts of the ERROR that answers it.
struct Refusal {
  std::string message;  // short, for the header
  std::string detail;   // a sentence that begins with the frame's command
};

// Control characters replaced: fit for one line of a log.
[[nodiscard]] std::string printable(std::string_view text);

// What a peer said, fit to be shown in a sentence: short and without control characters, in quotes.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace stompbox::session

#pragma once

#include <string_view>

// The headers that a dead letter has in front of its own (promise P7): written when a message is
// buried, read when it is shown or revived. The first of a name wins (fact A11), so those of the
// latest death are what counts.
namespace stompbox::routing {

inline constexpr std::string_view kDeathReason = "dead-letter-reason";
inline constexpr std::string_view kDeathDetail = "dead-letter-detail";
inline constexpr std::string_view kDeathTime = "dead-letter-time";  // ms since the epoch of UNIX
inline constexpr std::string_view kOriginalDestination = "original-destination";
inline constexpr std::string_view kOriginalMessageId = "original-message-id";
inline constexpr std::string_view kOriginalExpires = "original-expires";  // ms; if it had a date

// Both are parts of one header block (Message::header_block), and live as long as it.
struct LetterBlock {
  std::string_view death;     // of the latest death
  std::string_view original;  // as the message had them before
};

[[nodiscard]] LetterBlock split_letter_block(std::string_view block);

}  // namespace stompbox::routing

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/result.h"

namespace stompbox::verbs {

// Exit codes of every verb but `status --check`, which has those of Nagios.
enum class Exit : std::uint8_t { kDone = 0, kFailed = 1, kMisuse = 2 };

// Standard output and standard error. What cannot be written to a closed pipe is dropped: whoever
// closed it has seen enough.
enum class Written : std::uint8_t { kYes, kNobodyReads };
Written print(std::string_view text);
// "stompbox: sentence" on standard error.
void complain(std::string_view sentence);
// A line on standard error that the next one replaces, if that is a terminal.
void tell_progress(std::string_view line);
// complain(), with the exit code that belongs to it.
[[nodiscard]] Exit fail(const storage::Error& error);

[[nodiscard]] bool input_is_terminal();
// Standard input to its end; kTooLarge beyond the bound.
[[nodiscard]] storage::Result<std::string> read_input(std::size_t bytes_max);
[[nodiscard]] storage::Result<std::string> read_file(const std::string& path,
                                                     std::size_t bytes_max);
// Asks on the terminal without showing what is typed; one line.
[[nodiscard]] storage::Result<std::string> ask_secret(std::string_view prompt);

}  // namespace stompbox::verbs

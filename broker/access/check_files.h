#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "broker/access/options.h"

namespace stompbox::access {

// Reads what the options name and says all that is wrong with it, a sentence each: what
// `stompbox config check` adds to the mistakes of the configuration itself.
[[nodiscard]] std::vector<std::string> check_files(const AccessOptions& options);

// What is wrong with users of whom nobody could log in; empty if somebody could.
[[nodiscard]] std::string fault_of_nobody(const AccessOptions& options, std::size_t user_count);

}  // namespace stompbox::access

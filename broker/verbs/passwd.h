#pragma once

#include <string>

#include "broker/options/options.h"
#include "broker/verbs/terminal.h"

namespace stompbox::verbs {

// Adds a user to the users file of the options or gives the user a new passcode, which is asked for
// on the terminal or is the first line of standard input.
[[nodiscard]] Exit set_passcode(const options::Options& options, const std::string& user);
[[nodiscard]] Exit delete_user(const options::Options& options, const std::string& user);

}  // namespace stompbox::verbs

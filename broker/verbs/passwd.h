#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/options/options.h"
#include "broker/verbs/terminal.h"

namespace stompbox::verbs {

enum class Passcode : std::uint8_t {
  kAsked,  // on the terminal, or the first line of standard input
  kKept,   // as it is
  kNone,   // no passcode is right any more
};

// Adds a user to the users file of the options, or changes one. Without groups those stay as they
// are.
[[nodiscard]] Exit put_user(const options::Options& options, const std::string& user,
                            Passcode passcode, const std::vector<std::string>& groups);
[[nodiscard]] Exit delete_user(const options::Options& options, const std::string& user);

}  // namespace stompbox::verbs

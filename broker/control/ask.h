#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "storage/result.h"

namespace stompbox::control {

// The other side of the control door: asks the broker whose control socket that is one question and
// waits for the answer. Blocks; for the command line's verbs.
//
// kUnavailable: no broker runs there. kDenied: this user may not ask it. kBusy: no answer in time.
[[nodiscard]] storage::Result<std::string> ask(const std::string& socket_path,
                                               std::string_view request,
                                               std::chrono::milliseconds patience);

}  // namespace stompbox::control

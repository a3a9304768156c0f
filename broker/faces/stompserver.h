#pragma once

#include <span>
#include <string>

#include "broker/faces/plan.h"
#include "broker/faces/stompserver_settings.h"

namespace stompbox::faces {

// Defaults, then `stompserver.conf` in the current folder, then the file of -C, then the flags
// (fact 3.7). Reads these files; looks up the host's address if it is a name.
[[nodiscard]] Outcome plan_stompserver(Dialect dialect, std::span<const std::string> words,
                                       const std::string& current_folder);

}  // namespace stompbox::faces

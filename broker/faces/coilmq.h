#pragma once

#include <span>
#include <string>

#include "broker/faces/plan.h"

namespace stompbox::faces {

// CoilMQ's command line and INI file (fact 3.9): defaults, then the file of -c, then the flags.
// Reads that file; looks up the host's address if it is a name.
[[nodiscard]] Outcome plan_coilmq(std::span<const std::string> words,
                                  const std::string& current_folder);

}  // namespace stompbox::faces

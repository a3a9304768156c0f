#pragma once

#include <span>
#include <string>

#include "broker/faces/faces.h"

namespace stompbox {

// Runs the appliance in the place of another broker: its user, folders, pid file and background are
// as that one's, and what it left behind is taken over. The exit code of the process; in the
// background the caller's process ends with it when the broker is ready, or has failed.
[[nodiscard]] int serve_as(faces::Face face, std::span<const std::string> words);

}  // namespace stompbox

#pragma once

#include "broker/options/options.h"

namespace stompbox {

// Runs the appliance until a signal ends it. 0: it stopped in order; 1: it failed, and one clear
// sentence is on standard error and in the log. To be called once, from the main thread: it takes
// the process's signals and standard output's one ready line.
[[nodiscard]] int run_server(const options::Options& options);

}  // namespace stompbox

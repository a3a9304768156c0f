#pragma once

#include <functional>

#include "broker/options/options.h"
#include "storage/result.h"

namespace stompbox {

// Runs the appliance until a signal ends it. 0: it stopped in order; 1: it failed, and one clear
// sentence is on standard error and in the log. To be called once, from the main thread: it takes
// the process's signals and standard output's one ready line.
// `on_ready`: what else has to happen before anybody is told that it is ready; called once, on the
// loop, when the listeners are open. An error of it ends the server.
using OnReady = std::function<storage::Status()>;
[[nodiscard]] int run_server(const options::Options& options, const OnReady& on_ready = {});

}  // namespace stompbox

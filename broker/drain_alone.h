#pragma once

#include "broker/options/options.h"
#include "broker/server.h"

namespace stompbox {

// Runs the drain stage by itself, as a client of the broker that `options.source` names, until a
// signal ends it. 2: the options cannot be; everything else is as for run_server().
[[nodiscard]] int run_drain(const options::Options& options, const OnReady& on_ready = {});

}  // namespace stompbox

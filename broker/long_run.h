#pragma once

#include <functional>
#include <string>

#include "broker/options/options.h"

// What the two programs that run until they are ended have in common: `serve` and `drain`.
namespace stompbox {

enum class Exit { kDone = 0, kFailed = 1, kMisuse = 2 };

// One sentence on standard error, and in the log if that is another place.
void tell_failure(const options::Options& options, const std::string& sentence);

// Calls `work` between the start and the end of the log; an exception that leaves it is told as a
// failure. The process's exit code. To be called once, from the main thread.
[[nodiscard]] int run_logged(const options::Options& options, const std::function<Exit()>& work);

}  // namespace stompbox

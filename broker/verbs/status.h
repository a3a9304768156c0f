#pragma once

#include <string>

#include <rapidjson/document.h>

#include "broker/options/options.h"
#include "broker/verbs/nagios.h"
#include "broker/verbs/output.h"
#include "broker/verbs/terminal.h"

namespace stompbox::verbs {

[[nodiscard]] Exit status(const options::Options& options, Output output);

// One line and an exit code as Nagios wants them.
// A plug-in that could not even ask: one line, and 3.
[[nodiscard]] int unknown_status(const std::string& reason);
[[nodiscard]] int check_status(const options::Options& options, const Thresholds& thresholds);

// The "ok" part of a status answer for people.
[[nodiscard]] std::string show_status(const rapidjson::Value& ok);
// The same as a monitor sees it.
[[nodiscard]] Health health_in(const rapidjson::Value& ok);

}  // namespace stompbox::verbs

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/faces/stompserver_settings.h"
#include "storage/result.h"

namespace stompbox::faces {

// Sets what a configuration file of StompServer says: a YAML mapping with keys like `:port:`, or
// `port:` (fact 3.2). Empty values set nothing; unknown keys are told in `warnings`. kInvalid names
// `source` and the line.
[[nodiscard]] storage::Status apply_yaml(StompserverSettings& settings, std::string_view text,
                                         const std::string& source,
                                         std::vector<std::string>& warnings);

}  // namespace stompbox::faces

#pragma once

#include <string>

#include "tests/conformance/case_file.h"
#include "tests/conformance/transport.h"

namespace stompbox::conformance {

// Plays a case; empty if it passed, else what was different and where.
[[nodiscard]] std::string run_case(const Case& conformance_case, Broker& broker);

}  // namespace stompbox::conformance

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/faults.h"

namespace stompbox::sim {

struct Verdict {
  std::vector<std::string> violations;
  std::uint64_t events = 0;  // receipts, deliveries and stored catalogs that were checked
};

// One whole history: lives, crashes, and a last start after which everything is looked at.
[[nodiscard]] Verdict run_history(std::uint64_t seed, Fault fault);

}  // namespace stompbox::sim

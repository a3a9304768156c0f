#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace stompbox::conformance {

// One row of the table of decisions in protocol/README.md.
struct Decision {
  std::string what;
  std::string held_by;  // number and sentence of a case
};

// The rows of the table whose last column is headed "held by". Throws std::runtime_error if there
// is none.
[[nodiscard]] std::vector<Decision> read_decisions(const std::filesystem::path& readme);

}  // namespace stompbox::conformance

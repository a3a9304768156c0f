#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "broker/options/options.h"
#include "broker/verbs/output.h"
#include "broker/verbs/terminal.h"
#include "storage/catalog/catalog_store.h"

// `forget` and `unexport`: taking nodes out of the catalog database.
namespace stompbox::verbs {

// What has arrived at our own broker by now, so that it can be told from what comes later: from the
// broker that runs on the options' folder, or from its queues when none runs.
struct ArrivalMark {
  std::optional<catalog::Arrival> arrival;
  std::string unknown;  // else: why it cannot be told
};
[[nodiscard]] ArrivalMark find_mark(const options::Options& options);

struct ForgetOptions {
  std::vector<std::string> nodes;
  std::optional<std::chrono::milliseconds> silent_for;  // in the place of names
  bool dry_run = false;                                 // shows who would be forgotten
  Output output = Output::kTable;
};
// kFailed when a node that was named is not there.
[[nodiscard]] Exit forget(const options::Options& options, const ForgetOptions& wanted);

[[nodiscard]] Exit unexport(const options::Options& options, const std::vector<std::string>& nodes,
                            Output output);

}  // namespace stompbox::verbs

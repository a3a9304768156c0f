#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/catalog/care/care_steps.h"
#include "storage/catalog/care/check_rules.h"
#include "storage/catalog/sql.h"
#include "storage/result.h"

// `store repair`: puts right what check_database() finds and rows can tell. Safe beside masters and
// a running broker: one short transaction a host, planned without a lock, planned again under it.
namespace stompbox::catalog::care {

enum class RepairMode : std::uint8_t { kDryRun, kApply };

struct RepairOptions {
  RepairMode mode = RepairMode::kDryRun;
  // Also: delete name rows that nothing uses any more. Masters keep the ids of names in memory
  // (facts 4.7): all of them have to be stopped.
  bool merge_names = false;
  bool thin = false;   // also: delete resources that are not exported (facts 6.1)
  bool widen = false;  // MySQL; also: make room for texts of more than 65,535 bytes
  std::size_t examples_max = 5;
};

struct RepairReport {
  Findings findings{5};          // mended, or to be mended
  std::uint64_t hosts = 0;       // that were changed, or would be
  std::uint64_t rows = 0;        // of them, children of deleted resources not counted
  std::uint64_t names_left = 0;  // rows that wait for merge_names
  std::uint64_t names_deleted = 0;
  std::uint64_t thinned = 0;           // resources
  std::vector<std::string> widenings;  // statements, run or to be run
  std::chrono::milliseconds longest_lock{0};
};

// After an error what was done before stays done; the same call goes on from there.
[[nodiscard]] storage::Result<RepairReport> repair_database(SqlConnection& db,
                                                            const RepairOptions& options,
                                                            CareWatch& watch);

}  // namespace stompbox::catalog::care

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/catalog/care/care_steps.h"
#include "storage/catalog/care/check_rules.h"
#include "storage/catalog/sql.h"
#include "storage/result.h"

// `store check`: what in a storeconfigs database breaks the contract with the masters (facts 5.4).
namespace stompbox::catalog::care {

struct CheckOptions {
  std::size_t examples_max = 5;  // of each rule
};

struct CheckReport {
  Findings findings{5};
  std::vector<std::string> remarks;        // of the set-up: sentences, nothing that rows break
  std::uint64_t hosts = 0, resources = 0;  // that were looked at
};

// Only reads, in steps of some milliseconds, each a snapshot of its own: masters are never held up,
// also where a reader stops them from committing. Rows that others write meanwhile are seen or not.
[[nodiscard]] storage::Result<CheckReport> check_database(SqlConnection& db,
                                                          const CheckOptions& options,
                                                          CareWatch& watch);

// The part of it that does not look at rows: columns, indices, engines, journal.
void check_setup(SqlConnection& db, CheckReport& report);

}  // namespace stompbox::catalog::care

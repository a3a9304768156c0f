#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "storage/catalog/care/care_steps.h"
#include "storage/catalog/care/check_rules.h"
#include "storage/catalog/sql.h"

// Rows whose owner does not exist: races of old Puppets and repairs by hand leave them. Owners'
// ids never come again, so what is lost stays lost.
namespace stompbox::catalog::care {

struct LostRows {
  CheckRule rule{};
  std::string_view table;
  std::string_view owner;    // table
  std::string_view column;   // that names the owner
  std::string_view example;  // an expression over c
};

// Resources first: their children are lost with them.
[[nodiscard]] std::span<const LostRows> all_lost_rows();

// Looks only, in bounded steps.
void find_lost_rows(SqlConnection& db, const LostRows& of, Findings& findings, CareWatch& watch);
// Deletes them, resources with their children, a few hundred rows a transaction; how many.
[[nodiscard]] storage::Result<std::uint64_t> remove_lost_rows(SqlConnection& db, const LostRows& of,
                                                              LockPause& pause);

// The highest id of a table, 0 without rows: the measure of progress.
[[nodiscard]] std::uint64_t id_max(SqlConnection& db, std::string_view table);

}  // namespace stompbox::catalog::care

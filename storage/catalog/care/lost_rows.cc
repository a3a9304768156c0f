#include "storage/catalog/care/lost_rows.h"

#include <algorithm>
#include <string>
#include <vector>

#include "storage/catalog/bulk.h"

namespace stompbox::catalog::care {
namespace {

using storage::Result;

// Rows that go in one transaction; children of resources come on top.
constexpr std::size_t kRowsMax = 200;

constexpr LostRows kAll[] = {
    {CheckRule::kLostResources, "resources", "hosts", "host_id", "c.title"},
    {CheckRule::kLostParameters, "param_values", "resources", "resource_id", "c.id"},
    {CheckRule::kLostTags, "resource_tags", "resources", "resource_id", "c.id"},
    {CheckRule::kLostFacts, "fact_values", "hosts", "host_id", "c.id"},
};

// One statement, so that what it says was true at one moment.
std::string select_of(const LostRows& of) {
  std::string sql = "SELECT c.id, ";
  sql.append(of.example).append(", c.").append(of.column).append(" FROM ").append(of.table);
  sql.append(" c LEFT JOIN ").append(of.owner).append(" p ON p.id = c.").append(of.column);
  return sql + " WHERE c.id > ?1 AND c.id <= ?2 AND p.id IS NULL ORDER BY c.id";
}

std::vector<std::int64_t> lost_in(SqlStatement& select, const IdWindows::Window& window) {
  std::vector<std::int64_t> ids;
  bind(select, window);
  while (select.step())
    ids.push_back(select.integer(0));
  return ids;
}

// Deletes rows by id, and children of resources by their resource.
class Removal {
 public:
  Removal(SqlConnection& db, const LostRows& of)
      : rows_(db, std::string(of.table), "id"),
        parameters_(db, "param_values", "resource_id"),
        tags_(db, "resource_tags", "resource_id"),
        with_children_(of.table == "resources") {}

  void run(std::span<const std::int64_t> ids) {
    for (const std::int64_t id : ids) {
      rows_.add(id);
      if (!with_children_) continue;
      parameters_.add(id);
      tags_.add(id);
    }
    parameters_.flush();
    tags_.flush();
    rows_.flush();
  }

 private:
  BulkDelete rows_, parameters_, tags_;
  const bool with_children_;
};

}  // namespace

std::span<const LostRows> all_lost_rows() {
  return kAll;
}

std::uint64_t id_max(SqlConnection& db, std::string_view table) {
  const auto id = integer_of(db, "SELECT coalesce(max(id), 0) FROM " + std::string(table));
  return static_cast<std::uint64_t>(id);
}

void find_lost_rows(SqlConnection& db, const LostRows& of, Findings& findings, CareWatch& watch) {
  IdWindows windows(db, std::string(of.table));
  SqlStatement select(db, select_of(of));
  const std::uint64_t all = id_max(db, of.table);
  while (const auto window = windows.next()) {
    bind(select, *window);
    while (select.step()) {
      const std::string owner = select.is_null(2) ? "NULL" : std::to_string(select.integer(2));
      findings.add(of.rule,
                   std::string(select.text(1)) + " (" + std::string(of.column) + " " + owner + ")");
    }
    watch.on_progress(of.table, static_cast<std::uint64_t>(window->through), all);
  }
}

Result<std::uint64_t> remove_lost_rows(SqlConnection& db, const LostRows& of, LockPause& pause) {
  IdWindows windows(db, std::string(of.table));
  SqlStatement select(db, select_of(of));
  std::uint64_t count = 0;
  while (const auto window = windows.next()) {
    const std::vector<std::int64_t> ids = lost_in(select, *window);
    for (std::size_t done = 0; done < ids.size(); done += kRowsMax) {
      const auto rest = std::span(ids).subspan(done);
      const auto some = rest.first(std::min(kRowsMax, rest.size()));
      pause.begin();
      const auto status = in_write_transaction(db, [&db, &of, some] { Removal(db, of).run(some); });
      if (!status) return status.error();
      pause.end();
      count += some.size();
    }
  }
  if (const auto status = take_failure(db); !status) return status.error();
  return count;
}

}  // namespace stompbox::catalog::care

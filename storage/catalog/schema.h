#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// The storeconfigs tables (facts 3.3), as far as every database has them alike.
namespace stompbox::catalog {

// A table that we read or write, with the columns that we name in statements.
struct TableSpec {
  std::string_view name;
  std::span<const std::string_view> columns;
};

// Identical from Puppet 0.24.7 to 3.8.7 (facts 3.2); the inventory tables are not among them.
[[nodiscard]] std::span<const TableSpec> needed_tables();

// The one table of our own. Puppet does not look at tables that it does not know (rule 3).
inline constexpr std::string_view kOwnTable = "stompbox_nodes";

// Its columns beside `name`. One row a node, by name: it outlives the hosts row, so that a late
// redelivery does not bring back a node that was cleaned. All but the name may be NULL.
struct OwnColumn {
  std::string_view name, sqlite_type, mysql_type;
};
[[nodiscard]] std::span<const OwnColumn> own_columns();

struct FoundColumn {
  bool must_be_given = false;  // NOT NULL without a default, and not the primary key
};

using FoundColumns = std::map<std::string, FoundColumn, std::less<>>;
using FoundTables = std::map<std::string, FoundColumns, std::less<>>;

// Nothing when the tables are those of Puppet's storeconfigs; else what is in the way, as the
// middle of a sentence ("table `hosts` has no column `environment`").
[[nodiscard]] std::optional<std::string> schema_mismatch(const FoundTables& found);

// Old Puppets stored an object as YAML in hosts.environment, growing with each save (ticket 4487).
// The name inside; nothing when the text is plain already or holds no name.
[[nodiscard]] std::optional<std::string> environment_in_yaml(std::string_view stored);

}  // namespace stompbox::catalog

#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/schema.h"
#include "storage/catalog/sql.h"
#include "storage/result.h"

namespace stompbox::catalog {

// A column of texts as it is declared; charset and collation are empty for any other column.
struct MysqlColumn {
  std::string type;  // "varchar", "text" …
  std::string charset, collation;
  std::size_t characters_max = 0, bytes_max = 0;
};

struct MysqlTables {
  FoundTables found;
  std::map<std::string, std::map<std::string, MysqlColumn, std::less<>>, std::less<>> columns;
  std::map<std::string, std::string, std::less<>> engines;  // by table, lower case

  // All zeros where there is no such column.
  [[nodiscard]] MysqlColumn column(std::string_view table, std::string_view name) const;
};

[[nodiscard]] MysqlTables inspect_mysql(SqlConnection& db);

struct MysqlSchema {
  enum class Origin { kMade, kFound } origin = Origin::kFound;
  MysqlTables tables;
};

// Makes the whole schema of Puppet 3.8.7 in a database without tables (texts compare as SQLite's
// do); else checks that the tables are Puppet's, whatever variant, and leaves them alone. Adds only
// our own tables. `charset` is that of tables made now. A stranger's database is kInvalid.
[[nodiscard]] storage::Result<MysqlSchema> ensure_mysql_schema(SqlConnection& db,
                                                               const std::string& place,
                                                               const std::string& charset);

// kInvalid for a stranger's.
[[nodiscard]] storage::Status check_mysql_schema(const MysqlTables& tables,
                                                 const std::string& place);

// What the masters' client library speaks, as far as the tables tell (rule 18): "latin1" where
// parameter values are declared latin1, for there old masters keep bytes of UTF-8; else "utf8mb4".
[[nodiscard]] std::string declared_charset(const MysqlTables& tables);

// Statements that make room for values of more than 65,535 bytes (rule 17). None: there is room.
// Each rewrites its table, which nobody can write meanwhile.
[[nodiscard]] std::vector<std::string> mysql_widening(SqlConnection& db);

// The table whose one row serialises those who make names, in all processes.
inline constexpr std::string_view kLocksTable = "stompbox_locks";

}  // namespace stompbox::catalog

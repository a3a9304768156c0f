#pragma once

#include <string>

#include "storage/catalog/schema.h"
#include "storage/catalog/sqlite_connection.h"
#include "storage/result.h"

namespace stompbox::catalog {

enum class SchemaOrigin { kMade, kFound };

// Makes the whole schema of Puppet 3.8.7 (with WAL) in a database without tables; else checks that
// the tables are Puppet's, whatever variant, and leaves them and the journal mode alone. Adds only
// our own table. A stranger's database is kInvalid.
[[nodiscard]] storage::Result<SchemaOrigin> ensure_schema(SqliteConnection& db,
                                                          const std::string& path);

[[nodiscard]] FoundTables inspect_tables(SqliteConnection& db);

// The statements of a fresh schema, as Puppet 3.8.7 would run them.
[[nodiscard]] std::string fresh_schema();

}  // namespace stompbox::catalog

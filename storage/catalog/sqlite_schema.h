#pragma once

#include <string>

#include "storage/catalog/bulk.h"
#include "storage/catalog/schema.h"
#include "storage/catalog/sqlite_connection.h"
#include "storage/result.h"

namespace stompbox::catalog {

enum class SchemaOrigin { kMade, kFound };

// Rows of resources, values and tags have no times in a database that we have made, now or before:
// nobody reads them (facts 5.1), and they would take a third of the file. In others they have
// them, as Puppet's have. Fails with its connection.
[[nodiscard]] RowTimes row_times_in(SqliteConnection& db);

// Makes the whole schema of Puppet 3.8.7 (with WAL) in a database without tables; else checks that
// the tables are Puppet's, whatever variant, and leaves them and the journal mode alone. Adds only
// our own table. A stranger's database is kInvalid.
[[nodiscard]] storage::Result<SchemaOrigin> ensure_schema(SqliteConnection& db,
                                                          const std::string& path);

[[nodiscard]] FoundTables inspect_tables(SqliteConnection& db);

// The statements of a fresh schema: the tables of Puppet 3.8.7, with fewer indices.
[[nodiscard]] std::string fresh_schema();

}  // namespace stompbox::catalog

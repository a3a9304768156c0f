#pragma once

#include <memory>

#include "storage/catalog/catalog_reader.h"
#include "storage/catalog/catalog_store.h"
#include "storage/catalog/sql.h"
#include "storage/catalog/sqlite_options.h"

namespace stompbox::catalog {

[[nodiscard]] std::unique_ptr<CatalogStore> make_sqlite_store(SqliteOptions options);

[[nodiscard]] storage::Result<std::unique_ptr<CatalogReader>> open_sqlite_reader(
    const std::string& path);

// To a database that exists and is one of Puppet's. kRead never waits for a writer in WAL mode;
// kWrite makes our own table where it is missing.
enum class SqliteUse { kRead, kWrite };
[[nodiscard]] storage::Result<std::unique_ptr<SqlConnection>> open_sqlite_connection(
    const SqliteOptions& options, SqliteUse use);

}  // namespace stompbox::catalog

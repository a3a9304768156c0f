#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/catalog/catalog_reader.h"
#include "storage/catalog/catalog_store.h"
#include "storage/catalog/mysql_options.h"
#include "storage/catalog/sql.h"
#include "storage/catalog/sqlite_options.h"

// Which storeconfigs database is meant, whatever its kind.
namespace stompbox::catalog {

enum class PlaceKind { kNone, kSqlite, kMysql };

struct CatalogPlace {
  PlaceKind kind = PlaceKind::kNone;
  SqliteOptions sqlite;  // of kSqlite
  MysqlOptions mysql;    // of kMysql
};

// "sqlite:FILE", "mysql://USER@HOST:PORT/DATABASE?socket=…" or "none"; what the text does not say
// is taken from `defaults`. kInvalid with a sentence that shows the forms.
[[nodiscard]] storage::Result<CatalogPlace> parse_catalog_place(std::string_view text,
                                                                const CatalogPlace& defaults);
// As the status and the log name it: without a password.
[[nodiscard]] std::string to_text(const CatalogPlace& place);
// How many stores may write it at once: 1 for SQLite.
[[nodiscard]] unsigned writers_max(const CatalogPlace& place);

// Not of kNone.
[[nodiscard]] std::unique_ptr<CatalogStore> make_catalog_store(const CatalogPlace& place);
// kNotFound where there is no such database.
[[nodiscard]] storage::Result<std::unique_ptr<CatalogReader>> open_catalog_reader(
    const CatalogPlace& place);

// A bare connection, for the care of a database that exists and is one of Puppet's.
enum class ConnectionUse { kRead, kWrite };
[[nodiscard]] storage::Result<std::unique_ptr<SqlConnection>> open_catalog_connection(
    const CatalogPlace& place, ConnectionUse use);

}  // namespace stompbox::catalog

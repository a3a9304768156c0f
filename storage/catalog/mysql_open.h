#pragma once

#include <memory>

#include "storage/catalog/catalog_store.h"
#include "storage/catalog/mysql_options.h"
#include "storage/catalog/sql.h"
#include "storage/result.h"

namespace stompbox::catalog {

[[nodiscard]] std::unique_ptr<CatalogStore> make_mysql_store(MysqlOptions options);

// To a database that is one of Puppet's, in its character set. `writes`: our own tables are made
// where they are missing.
enum class MysqlUse { kRead, kWrite };
[[nodiscard]] storage::Result<std::unique_ptr<SqlConnection>> open_mysql_connection(
    const MysqlOptions& options, MysqlUse use);

}  // namespace stompbox::catalog

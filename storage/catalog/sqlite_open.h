#pragma once

#include <memory>

#include "storage/catalog/catalog_reader.h"
#include "storage/catalog/catalog_store.h"
#include "storage/catalog/sqlite_options.h"

namespace stompbox::catalog {

[[nodiscard]] std::unique_ptr<CatalogStore> make_sqlite_store(SqliteOptions options);

[[nodiscard]] storage::Result<std::unique_ptr<CatalogReader>> open_sqlite_reader(
    const std::string& path);

}  // namespace stompbox::catalog

#pragma once

#include <memory>
#include <string>

#include "broker/options/options.h"
#include "storage/catalog/catalog_place.h"
#include "storage/catalog/catalog_reader.h"
#include "storage/result.h"

// Where the verbs find the catalog database. Every error says what to do.
namespace stompbox::verbs {

// The database that the options name, whether it is there or not; kInvalid where they name none.
[[nodiscard]] storage::Result<catalog::CatalogPlace> database_of(const options::Options& options);
// The same, for verbs that make none: kNotFound where there is no such file, kInvalid for a folder.
[[nodiscard]] storage::Result<catalog::CatalogPlace> existing_database_of(
    const options::Options& options);

[[nodiscard]] storage::Result<std::unique_ptr<catalog::SqlConnection>> connect_database(
    const options::Options& options, catalog::ConnectionUse use);
[[nodiscard]] storage::Result<std::unique_ptr<catalog::CatalogReader>> open_reader(
    const options::Options& options);

// What a verb says of a node that the database does not have.
[[nodiscard]] storage::Error no_such_node(const std::string& node);

}  // namespace stompbox::verbs

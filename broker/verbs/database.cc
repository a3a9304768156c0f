#include "broker/verbs/database.h"

#include <filesystem>
#include <system_error>

namespace stompbox::verbs {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::Result;

}  // namespace

Result<catalog::CatalogPlace> database_of(const options::Options& options) {
  auto place = options::catalog_place(options);
  if (place && place->kind == catalog::PlaceKind::kNone) {
    return Error{ErrorCode::kInvalid,
                 "there is no catalog database here: name one with --catalog-store STORE or the "
                 "broker's folder with --data"};
  }
  return place;
}

Result<catalog::CatalogPlace> existing_database_of(const options::Options& options) {
  auto place = database_of(options);
  if (!place || place->kind != catalog::PlaceKind::kSqlite) return place;
  const std::string& path = place->sqlite.path;
  std::error_code trouble;  // shows when the file is opened
  const auto type = std::filesystem::status(path, trouble).type();
  if (type == std::filesystem::file_type::not_found) {
    return Error{ErrorCode::kNotFound, "there is no catalog database " + path +
                                           ": name one with --catalog-store STORE or the "
                                           "broker's folder with --data"};
  }
  if (type == std::filesystem::file_type::directory) {
    return Error{ErrorCode::kInvalid,
                 "the catalog database " + path + " is a folder: name the file in it"};
  }
  return place;
}

Result<std::unique_ptr<catalog::SqlConnection>> connect_database(const options::Options& options,
                                                                 catalog::ConnectionUse use) {
  const auto place = existing_database_of(options);
  if (!place) return place.error();
  return catalog::open_catalog_connection(*place, use);
}

Result<std::unique_ptr<catalog::CatalogReader>> open_reader(const options::Options& options) {
  const auto place = existing_database_of(options);
  if (!place) return place.error();
  return catalog::open_catalog_reader(*place);
}

Error no_such_node(const std::string& node) {
  return {ErrorCode::kNotFound,
          "there is no node " + node + " in the catalog database: 'stompbox nodes' lists them"};
}

}  // namespace stompbox::verbs

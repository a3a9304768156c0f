#pragma once

#include <string>
#include <vector>

#include "storage/catalog/catalog_reader.h"
#include "storage/catalog/sql.h"

namespace stompbox::catalog {

// The statement of a query, and the texts for its placeholders. Its columns: id, node, type, title,
// source_file_id, exported, line. Conditions are those that a collecting master has (facts 5.1).
struct ResourceSelect {
  std::string sql;
  std::vector<std::string> texts;
};
[[nodiscard]] ResourceSelect select_of(const ResourceQuery& query, const SqlDialect& dialect);

}  // namespace stompbox::catalog

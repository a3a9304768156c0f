#pragma once

#include <cstdint>
#include <vector>

#include "storage/catalog/names_table.h"
#include "storage/catalog/schema_diff.h"
#include "storage/catalog/schema_rows.h"
#include "storage/catalog/sql.h"

namespace stompbox::catalog {

struct CatalogNames {
  NamesTable parameters, tags, files;
};

// Reads the rows that belong to a host, in three ordered scans.
class HostRows {
 public:
  HostRows(SqlConnection& db, CatalogNames& names);

  [[nodiscard]] StoredRows load(std::int64_t host_id);
  [[nodiscard]] Witness witness(std::int64_t host_id);
  [[nodiscard]] std::vector<std::int64_t> resource_ids(std::int64_t host_id);

 private:
  void load_resources(std::int64_t host_id, StoredRows& rows);
  void load_parameters(std::int64_t host_id, StoredRows& rows);
  void load_tags(std::int64_t host_id, StoredRows& rows);

  const SqlDialect& dialect_;
  CatalogNames& names_;
  SqlStatement resources_, parameters_, tags_, ids_;
  SqlStatement resource_witness_, parameter_witness_, tag_witness_;
};

// The catalog's resources within the scope, with the ids that their names have now.
[[nodiscard]] WantedRows wanted_rows(const Catalog& catalog, StoreScope scope, CatalogNames& names);

}  // namespace stompbox::catalog

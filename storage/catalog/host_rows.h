#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "storage/catalog/bulk.h"
#include "storage/catalog/names_table.h"
#include "storage/catalog/schema_diff.h"
#include "storage/catalog/schema_rows.h"
#include "storage/catalog/sql.h"

namespace stompbox::catalog {

struct CatalogNames {
  NamesTable parameters, tags, files;
};

// Reads the rows that belong to a host, in three ordered scans; or those of some of its resources.
class HostRows {
 public:
  HostRows(SqlConnection& db, CatalogNames& names);

  [[nodiscard]] StoredRows load(std::int64_t host_id);
  // Of these resources, by ascending id; what is not there or not the host's is left out.
  [[nodiscard]] StoredRows load_some(std::int64_t host_id, std::span<const std::int64_t> ids);
  [[nodiscard]] Witness witness(std::int64_t host_id);
  [[nodiscard]] std::vector<std::int64_t> resource_ids(std::int64_t host_id);

 private:
  void read_resources(SqlStatement& bound, StoredRows& rows);
  void read_parameters(SqlStatement& bound, StoredRows& rows);
  void read_tags(SqlStatement& bound, StoredRows& rows);

  const SqlDialect& dialect_;
  CatalogNames& names_;
  SqlStatement resources_, parameters_, tags_, ids_;
  BulkStatement some_resources_, some_parameters_, some_tags_;
  SqlStatement resource_witness_, parameter_witness_, tag_witness_;
};

// The catalog's resources within the scope, with the ids that their names have now.
[[nodiscard]] WantedRows wanted_rows(const Catalog& catalog, StoreScope scope, CatalogNames& names);

}  // namespace stompbox::catalog

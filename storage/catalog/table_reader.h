#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/catalog/catalog_reader.h"
#include "storage/catalog/sql.h"

namespace stompbox::catalog {

// CatalogReader over any kind of database. Each call reads one snapshot.
class TableReader final : public CatalogReader {
 public:
  explicit TableReader(std::unique_ptr<SqlConnection> connection);

  storage::Result<std::vector<NodeRow>> nodes() override;
  storage::Result<std::vector<ResourceRow>> resources(const ResourceQuery& query) override;
  storage::Result<std::vector<FactRow>> facts(const std::string& node) override;

 private:
  std::vector<ResourceRow> matching(const ResourceQuery& query, std::vector<std::int64_t>& ids);
  void read_parameters(std::int64_t id, ResourceRow& row);
  void read_tags(std::int64_t id, ResourceRow& row);
  void begin();
  // Ends the snapshot; the connection's failure if there was one.
  template <typename Rows>
  storage::Result<Rows> finish(Rows rows);

  const std::unique_ptr<SqlConnection> db_;  // before its statements
  SqlStatement nodes_, parameters_, tags_, hosts_, facts_;
};

}  // namespace stompbox::catalog

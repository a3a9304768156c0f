#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/catalog/catalog_reader.h"
#include "storage/catalog/sqlite_connection.h"

namespace stompbox::catalog {

// CatalogReader over a SQLite file. Each call reads one snapshot.
class SqliteReader final : public CatalogReader {
 public:
  explicit SqliteReader(std::unique_ptr<SqliteConnection> connection);

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

  const std::unique_ptr<SqliteConnection> db_;  // before its statements
  SqliteStatement nodes_, parameters_, tags_, hosts_, facts_;
};

}  // namespace stompbox::catalog

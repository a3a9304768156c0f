#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/catalog/bulk.h"
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
  storage::Result<std::vector<NodeFactRow>> find_facts(
      const std::string& name, const std::optional<std::string>& value) override;
  storage::Result<ChangesRow> changes(const std::string& node) override;

 private:
  // Names by id, each asked for once in a snapshot.
  class Names {
   public:
    Names(SqlConnection& db, const std::string& table, const std::string& column = "name")
        : find_(db, "SELECT " + column + " FROM " + table + " WHERE id = ?1") {}
    // Null where there is no such row: readers do not see what hangs on it. Lives until forget().
    [[nodiscard]] const std::string* of(std::int64_t id);
    void forget();

   private:
    [[nodiscard]] const std::string* ask(std::int64_t id);

    SqlStatement find_;
    std::unordered_map<std::int64_t, std::optional<std::string>> names_;
    std::vector<const std::string*> by_id_;  // in names_; null: ask
  };

  struct Child {
    std::size_t place = 0;  // of its resource
    std::int64_t name_id = 0;
    std::string text;  // of a parameter
  };

  [[nodiscard]] bool has_own_table();
  void read_lags(std::vector<NodeRow>& rows);
  std::vector<ResourceRow> matching(const ResourceQuery& query, std::vector<std::int64_t>& ids);
  void read_files(const std::vector<std::int64_t>& file_ids, std::vector<ResourceRow>& rows);
  template <typename Put>
  void read_children(BulkStatement& select, const std::vector<std::int64_t>& ids, Put put);
  void read_parameters(const std::vector<std::int64_t>& ids, std::vector<ResourceRow>& rows);
  void read_tags(const std::vector<std::int64_t>& ids, std::vector<ResourceRow>& rows);
  // True if the node is there.
  [[nodiscard]] bool read_host(const std::string& node, std::string& last_compile);
  void begin();
  // Ends the snapshot; the connection's failure if there was one.
  template <typename Rows>
  storage::Result<Rows> finish(Rows rows);

  const std::unique_ptr<SqlConnection> db_;  // before its statements
  SqlStatement nodes_, hosts_, facts_, nodes_with_fact_, own_columns_, lags_, changes_;
  BulkStatement parameters_, tags_;
  Names parameter_names_, tag_names_, files_;
};

}  // namespace stompbox::catalog

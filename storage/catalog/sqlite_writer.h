#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/catalog/catalog.h"
#include "storage/catalog/schema_rows.h"
#include "storage/catalog/sqlite_connection.h"
#include "storage/catalog/sqlite_rows.h"

namespace stompbox::catalog {

// Inserts rows many at a time: each INSERT into an AUTOINCREMENT table reads and writes
// sqlite_sequence once, whatever the number of its rows. Ids ascend in the order of add().
class SqliteBulkInsert {
 public:
  using Cell = std::variant<std::int64_t, std::string_view>;

  // `columns` names `width` columns; updated_at and created_at come by themselves.
  SqliteBulkInsert(SqliteConnection& db, const std::string& table, const std::string& columns,
                   std::size_t width);

  // `now` and texts must live until flush().
  template <typename... Cells>
  void add(std::string_view now, Cells... cells) {
    (cells_.emplace_back(cells), ...);
    if (cells_.size() == kRowsMax * width_) insert(many_, now, kRowsMax);
  }
  // Inserts what is left; tells of all rows since the last flush.
  struct Inserted {
    std::int64_t count = 0;
    std::int64_t last_id = kNoRow;
  };
  Inserted flush(std::string_view now);
  // Forgets what has not been inserted yet.
  void discard();

 private:
  static constexpr std::size_t kRowsMax = 32;
  static constexpr std::size_t kRowsFew = 4;

  void insert(SqliteStatement& statement, std::string_view now, std::size_t rows);

  SqliteConnection& db_;
  const std::size_t width_;
  SqliteStatement many_, few_, one_;
  std::vector<Cell> cells_;
  std::size_t done_ = 0;  // cells that are inserted
  Inserted inserted_;
};

// Every statement that changes the rows of catalogs and facts. Inside a write transaction only.
class SqliteWriter {
 public:
  SqliteWriter(SqliteConnection& db, CatalogNames& names, SqliteNames& fact_names);

  // With its parameters and tags.
  void remove_resource(std::int64_t id);
  void remove_parameter(std::int64_t id);
  void remove_tag(std::int64_t id);
  void remove_fact(std::int64_t id);

  // Sets exported, and line and file where the catalog has them (4.2: they are never reset).
  void update_resource(std::int64_t id, const Resource& resource, std::string_view now);
  [[nodiscard]] std::int64_t insert_resource(std::int64_t host_id, const Resource& resource,
                                             std::string_view now);

  // These may wait for flush().
  void insert_parameter(std::int64_t resource_id, const Parameter& parameter, std::string_view now);
  void insert_tag(std::int64_t resource_id, const std::string& tag, std::string_view now);
  void insert_fact(std::int64_t host_id, const Fact& fact, std::string_view now);
  struct Flushed {
    SqliteBulkInsert::Inserted parameters, tags;
  };
  Flushed flush(std::string_view now);
  // After a rollback.
  void discard();

 private:
  SqliteConnection& db_;
  CatalogNames& names_;
  SqliteNames& fact_names_;
  SqliteStatement remove_resource_, remove_its_parameters_, remove_its_tags_;
  SqliteStatement remove_parameter_, remove_tag_, remove_fact_;
  SqliteStatement update_resource_, insert_resource_;
  SqliteBulkInsert parameters_, tags_, facts_;
};

}  // namespace stompbox::catalog

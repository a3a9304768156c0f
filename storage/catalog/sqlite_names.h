#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "storage/catalog/schema_rows.h"
#include "storage/catalog/sqlite_connection.h"

namespace stompbox::catalog {

// A table of names (param_names, puppet_tags, fact_names, source_files) with its ids in memory. The
// whole table is read at first use: puppet_tags has no index on its name, and every name of a
// running site is needed again. Rows may be deleted or renumbered by others (facts 4.7): after
// forget_checks() each id is looked at again before it is used. Memory follows the table.
// Where a name has several rows, the lowest id stands for it, as a master's own look-up finds it.
class SqliteNames {
 public:
  SqliteNames(SqliteConnection& db, const std::string& table, const std::string& column);

  // Another connection may have written.
  void forget_checks() { ++round_; }

  // kNoRow where there is none (or the connection has failed).
  [[nodiscard]] std::int64_t id_of(std::string_view name);
  [[nodiscard]] std::int64_t id_of_null();
  // `id` if it is the row that stands for its name, else kNoRow.
  [[nodiscard]] std::int64_t standing(std::int64_t id);

  // Nothing where there is no such row; lives until the next call.
  [[nodiscard]] std::optional<std::string_view> name_of(std::int64_t id);

  // Inside a write transaction; the name has no row. After a rollback start_over() is due.
  void create(std::string_view name, std::string_view now);
  void create_null(std::string_view now);
  // Forgets everything and reads the table again.
  void start_over();

 private:
  struct Row {
    std::string name;
    bool is_null = false;
    bool stands = false;
    std::uint64_t checked = 0;  // in which round
  };

  void load_new();
  void add(std::int64_t id, std::string_view name, bool is_null);
  // False, and everything forgotten, when the row is not what we remember.
  [[nodiscard]] bool still_there(std::int64_t id, Row& row);
  [[nodiscard]] const Row* row_of(std::int64_t id);

  SqliteConnection& db_;
  SqliteStatement load_;
  SqliteStatement look_;
  SqliteStatement insert_;
  std::unordered_map<std::int64_t, Row> rows_;
  std::unordered_map<std::string_view, std::int64_t> ids_;  // keys live in rows_
  std::int64_t null_id_ = kNoRow;
  std::int64_t id_max_ = kNoRow;
  std::uint64_t round_ = 1;
  std::uint64_t loaded_ = 0;  // in which round
};

}  // namespace stompbox::catalog

#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/catalog/bulk.h"
#include "storage/catalog/schema_rows.h"
#include "storage/catalog/sql.h"

namespace stompbox::catalog {

// A table of names (param_names, puppet_tags, fact_names, source_files) with its ids in memory. The
// whole table is read at first use: puppet_tags has no index on its name, and every name of a
// running site is needed again. Rows may be added, deleted or renumbered by others (facts 4.7):
// after forget_checks() the checksum of the rows that are known is looked at before any id is used,
// and the table is read anew when it differs; else the rows behind them are read, so that several
// writers do not read all names for each that one of them makes. Memory follows the table. Where a
// name has several rows, the lowest id stands for it, as a master's own look-up finds it.
class NamesTable {
 public:
  NamesTable(SqlConnection& db, const std::string& table, const std::string& column);

  // Another connection may have written.
  void forget_checks() { ++round_; }

  // kNoRow where there is none (or the connection has failed).
  [[nodiscard]] std::int64_t id_of(std::string_view name);
  [[nodiscard]] std::int64_t id_of_null();
  // `id` if it is the row that stands for its name, else kNoRow.
  [[nodiscard]] std::int64_t standing(std::int64_t id);

  // Nothing where there is no such row; lives until the next call.
  [[nodiscard]] std::optional<std::string_view> name_of(std::int64_t id);

  // Makes rows for the names that have none. Inside a write transaction; after a rollback
  // start_over() is due.
  void create(const std::set<std::string_view>& names, std::string_view now);
  void create_null(std::string_view now);
  // Forgets everything and reads the table again.
  void start_over();

 private:
  struct Row {
    std::string name;
    bool is_null = false;
    bool stands = false;
  };

  // Of all rows up to an id: a change of any shows.
  struct Checksum {
    std::int64_t rows = 0, ids = 0, texts = 0;
    friend bool operator==(const Checksum&, const Checksum&) = default;
  };

  void check();
  void read_newer();
  [[nodiscard]] Checksum read_checksum(std::int64_t last_id);
  void add(std::int64_t id, std::string_view name, bool is_null);
  void count_in(std::int64_t id, std::string_view name);
  [[nodiscard]] const Row* row_of(std::int64_t id);

  SqlConnection& db_;
  SqlStatement load_;  // what is behind an id
  SqlStatement sum_;
  BulkInsert insert_;
  std::unordered_map<std::int64_t, Row> rows_;
  std::unordered_map<std::string_view, std::int64_t> ids_;  // keys live in rows_
  std::int64_t null_id_ = kNoRow;
  std::int64_t last_id_ = 0;
  Checksum checksum_;  // of what is remembered, up to last_id_
  std::uint64_t round_ = 1;
  std::uint64_t checked_ = 0;  // in which round
};

}  // namespace stompbox::catalog

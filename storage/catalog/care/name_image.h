#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/catalog/schema_rows.h"
#include "storage/catalog/sql.h"

namespace stompbox::catalog::care {

// A table of names as the care of a database sees it: which rows there are, and which of several
// for one name is the oldest. Rows of names are never deleted or renumbered while masters run
// (facts 4.7), so what was read stays true; a row that came later is read when its id is met.
class NameImage {
 public:
  NameImage(SqlConnection& db, std::string table, const std::string& column);

  // Reads the whole table, again.
  void load();

  struct Row {
    std::string name;
    bool is_null = false;
  };
  // Nothing where there is no such row. Lives until the next load().
  [[nodiscard]] const Row* find(std::int64_t id);
  // The lowest id of that name, or kNoRow.
  [[nodiscard]] std::int64_t oldest(const std::string& name) const;
  // Makes a row. Inside a write transaction; after a rollback load() is due.
  std::int64_t create(const std::string& name, std::string_view now);

  struct Twin {
    std::int64_t id = kNoRow;
    std::int64_t oldest = kNoRow;
    std::string name;
  };
  // Rows that are not the oldest of their name, by id.
  [[nodiscard]] std::vector<Twin> twins() const;
  [[nodiscard]] const std::unordered_map<std::int64_t, Row>& rows() const { return rows_; }
  [[nodiscard]] const std::string& table() const { return table_; }

 private:
  const Row* add(std::int64_t id, std::string_view name, bool is_null);

  SqlConnection& db_;
  const std::string table_;
  SqlStatement load_, find_, create_;
  std::unordered_map<std::int64_t, Row> rows_;
  std::unordered_map<std::string, std::int64_t> oldest_;
};

// The four tables of names.
struct NameImages {
  explicit NameImages(SqlConnection& db);
  void load();

  NameImage parameters, tags, files, facts;
};

}  // namespace stompbox::catalog::care

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/catalog/schema_rows.h"
#include "storage/catalog/sql.h"

// Many rows by one statement: a server is asked seldom, and an INSERT into one of SQLite's
// AUTOINCREMENT tables reads and writes its counter once, whatever the number of its rows.
namespace stompbox::catalog {

// The same statement for several numbers of rows: so many at most, and ever fewer down to one.
class BulkStatement {
 public:
  // `text_of` makes the statement for so many rows.
  template <typename TextOf>
  BulkStatement(SqlConnection& db, std::size_t rows_max, TextOf text_of) {
    for (std::size_t rows = rows_max; rows > 1; rows /= kStep)
      sizes_.push_back({rows, std::make_unique<SqlStatement>(db, text_of(rows))});
    sizes_.push_back({1, std::make_unique<SqlStatement>(db, text_of(1))});
  }

  struct Size {
    std::size_t rows = 0;
    std::unique_ptr<SqlStatement> statement;
  };
  [[nodiscard]] Size& largest() { return sizes_.front(); }
  // The largest for no more than so many rows, which are at least one.
  [[nodiscard]] Size& fitting(std::size_t rows);
  // The smallest for no fewer than so many rows, else the largest.
  [[nodiscard]] Size& covering(std::size_t rows);

 private:
  static constexpr std::size_t kStep = 8;

  std::vector<Size> sizes_;
};

// Whether new rows say when they were written, or leave updated_at and created_at NULL.
enum class RowTimes { kWritten, kNull };

// Inserts rows. Ids ascend in the order of add().
class BulkInsert {
 public:
  using Cell = std::variant<std::monostate, std::int64_t, std::string_view>;  // the first: NULL

  // `columns` names `width` columns; updated_at and created_at come by themselves.
  BulkInsert(SqlConnection& db, const std::string& table, const std::string& columns,
             std::size_t width, RowTimes times = RowTimes::kWritten);

  // `now` and texts must live until flush().
  template <typename... Cells>
  void add(std::string_view now, Cells... cells) {
    (cells_.emplace_back(cells), ...);
    if (cells_.size() == statements_.largest().rows * width_) {
      insert(statements_.largest(), now);
    }
  }
  // Inserts what is left; the ids of all rows since the last flush, in their order. Fewer than
  // there were rows when the connection has failed.
  [[nodiscard]] std::vector<std::int64_t> flush(std::string_view now);
  // Forgets what has not been flushed yet.
  void discard();

 private:
  void insert(BulkStatement::Size& size, std::string_view now);

  SqlConnection& db_;
  const std::size_t width_;
  const RowTimes times_;
  BulkStatement statements_;
  std::vector<Cell> cells_;
  std::size_t done_ = 0;  // cells that are inserted
  std::vector<std::int64_t> ids_;
};

// Deletes rows by one column.
class BulkDelete {
 public:
  BulkDelete(SqlConnection& db, const std::string& table, const std::string& column);

  void add(std::int64_t value) { values_.push_back(value); }
  void flush();
  void discard() { values_.clear(); }

 private:
  BulkStatement statements_;
  std::vector<std::int64_t> values_;
};

}  // namespace stompbox::catalog

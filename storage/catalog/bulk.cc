#include "storage/catalog/bulk.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace stompbox::catalog {
namespace {

// Rows with their times: ?1, for both columns of every row.
std::string timed_insert(const std::string& into, const std::string& columns, std::size_t width,
                         std::size_t rows) {
  std::string sql = into + " (" + columns + ", updated_at, created_at) VALUES ";
  for (std::size_t row = 0; row < rows; ++row) {
    sql += row == 0 ? "(" : ", (";
    sql += placeholders(2 + row * width, width) + ", ?1, ?1)";
  }
  return sql;
}

std::string timeless_insert(const std::string& into, const std::string& columns, std::size_t width,
                            std::size_t rows) {
  std::string sql = into + " (" + columns + ") VALUES ";
  for (std::size_t row = 0; row < rows; ++row) {
    sql += row == 0 ? "(" : ", (";
    sql += placeholders(1 + row * width, width) + ")";
  }
  return sql;
}

void bind(SqlStatement& statement, int index, const BulkInsert::Cell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
    statement.bind(index, *integer);
  } else if (const auto* text = std::get_if<std::string_view>(&cell)) {
    statement.bind(index, *text);
  } else {
    statement.bind_null(index);
  }
}

}  // namespace

BulkStatement::Size& BulkStatement::fitting(std::size_t rows) {
  assert(rows > 0);
  return *std::ranges::find_if(sizes_, [rows](const Size& size) { return size.rows <= rows; });
}

BulkStatement::Size& BulkStatement::covering(std::size_t rows) {
  const auto covers = [rows](const Size& size) { return size.rows >= rows; };
  const auto after = std::ranges::find_if_not(sizes_, covers);
  return after == sizes_.begin() ? sizes_.front() : *std::prev(after);
}

BulkInsert::BulkInsert(SqlConnection& db, const std::string& table, const std::string& columns,
                       std::size_t width, RowTimes times)
    : db_(db),
      width_(width),
      times_(times),
      statements_(db, db.dialect().rows_max, [&](std::size_t rows) {
        const std::string into = std::string(db.dialect().insert_into) + table;
        return times == RowTimes::kWritten ? timed_insert(into, columns, width, rows)
                                           : timeless_insert(into, columns, width, rows);
      }) {}

void BulkInsert::insert(BulkStatement::Size& size, std::string_view now) {
  SqlStatement& statement = *size.statement;
  int place = 0;
  if (times_ == RowTimes::kWritten) statement.bind(++place, now);
  for (std::size_t i = 0; i < size.rows * width_; ++i)
    bind(statement, ++place, cells_[done_ + i]);
  statement.run();
  if (!db_.failed()) {
    const SqlConnection::InsertedIds ids = db_.inserted_ids(size.rows);
    for (std::size_t i = 0; i < size.rows; ++i)
      ids_.push_back(ids.first + static_cast<std::int64_t>(i) * ids.step);
  }
  done_ += size.rows * width_;
  if (done_ < cells_.size()) return;
  cells_.clear();
  done_ = 0;
}

std::vector<std::int64_t> BulkInsert::flush(std::string_view now) {
  while (!cells_.empty())
    insert(statements_.fitting((cells_.size() - done_) / width_), now);
  return std::exchange(ids_, {});
}

void BulkInsert::discard() {
  cells_.clear();
  done_ = 0;
  ids_.clear();
}

BulkDelete::BulkDelete(SqlConnection& db, const std::string& table, const std::string& column)
    : statements_(db, db.dialect().rows_max, [&](std::size_t rows) {
        return "DELETE FROM " + table + " WHERE " + column + " IN (" + placeholders(1, rows) + ")";
      }) {}

void BulkDelete::flush() {
  for (std::size_t done = 0; done < values_.size();) {
    BulkStatement::Size& size = statements_.fitting(values_.size() - done);
    for (std::size_t i = 0; i < size.rows; ++i)
      size.statement->bind(static_cast<int>(i) + 1, values_[done + i]);
    size.statement->run();
    done += size.rows;
  }
  values_.clear();
}

}  // namespace stompbox::catalog

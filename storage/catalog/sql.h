#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/result.h"

// One layer of SQL over the kinds of databases, so that what we know of the storeconfigs tables is
// written once. Single-threaded, as each connection is.
namespace stompbox::catalog {

enum class SqlKind { kSqlite, kMysql };

// What differs in statements that are otherwise the same.
struct SqlDialect {
  SqlKind kind = SqlKind::kSqlite;
  // Of many rows. What fails is undone by whoever called: the database need not keep a way back.
  std::string_view insert_into = "INSERT INTO ";
  std::string_view yes, no;       // `exported`, as it is written and read (rule 1)
  std::string_view on_same_name;  // of an INSERT, before the assignments of an UPDATE
  std::string_view lock_rows;     // after a SELECT: the rows stay as they are till the COMMIT
  std::string_view no_index;      // before a column in a condition that must not choose the index
  // A query for a number that changes with each commit of others; empty: it cannot be told.
  std::string_view data_version;
  std::size_t second_digits = 0;  // of a timestamp, behind the point
  std::size_t rows_max = 0;       // of one INSERT, or ids of one DELETE
  std::size_t asked_max = 0;      // ids of one SELECT: few where asking costs no way to a server
};

// A prepared statement. Every kind has the function crc32(text). Placeholders are ?1, ?2 …, each of
// them once or more often. Failures are kept by the connection.
class SqlCursor {
 public:
  virtual ~SqlCursor() = default;
  virtual void bind(int index, std::int64_t value) = 0;
  // The text must live until the statement has run.
  virtual void bind(int index, std::string_view text) = 0;
  virtual void bind_null(int index) = 0;
  // True: a row is there. False: there is none left or the statement failed; it is ready to be
  // bound again either way.
  [[nodiscard]] virtual bool step() = 0;
  // Gives up the rows that have not been read.
  virtual void reset() = 0;
  [[nodiscard]] virtual bool is_null(int column) const = 0;
  [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
  // Lives until the next step or reset.
  [[nodiscard]] virtual std::string_view text(int column) const = 0;
};

// One connection. The first failure stays until clear_failure(): statements do nothing meanwhile,
// so that a sequence of them needs one look at its end.
class SqlConnection {
 public:
  virtual ~SqlConnection() = default;
  [[nodiscard]] virtual const SqlDialect& dialect() const = 0;
  // Nothing if it cannot be prepared: the connection has failed.
  [[nodiscard]] virtual std::unique_ptr<SqlCursor> prepare(const std::string& sql) = 0;
  // Runs statements that give no rows and take no values.
  virtual void run(const std::string& sql) = 0;
  [[nodiscard]] virtual bool failed() const = 0;
  [[nodiscard]] virtual storage::Error error() const = 0;  // of a failed connection only
  virtual void clear_failure() = 0;
  [[nodiscard]] virtual bool in_transaction() const = 0;
  // Ids of the last INSERT, which had so many rows: the first one's, and how far they are apart.
  struct InsertedIds {
    std::int64_t first = 0;
    std::int64_t step = 1;
  };
  [[nodiscard]] virtual InsertedIds inserted_ids(std::size_t rows) const = 0;
};

// A statement that is prepared at its first use and kept. Indices count from 1, columns from 0.
class SqlStatement {
 public:
  SqlStatement(SqlConnection& connection, std::string sql)
      : connection_(connection), sql_(std::move(sql)) {}
  SqlStatement(const SqlStatement&) = delete;
  SqlStatement& operator=(const SqlStatement&) = delete;

  SqlStatement& bind(int index, std::int64_t value);
  SqlStatement& bind(int index, std::string_view text);
  SqlStatement& bind_null(int index);
  // NULL where there is nothing.
  SqlStatement& bind_optional(int index, const std::optional<std::int64_t>& value);
  SqlStatement& bind_optional(int index, const std::optional<std::string>& text);

  // As SqlCursor has it; false, too, while the connection has failed.
  [[nodiscard]] bool step();
  // For statements without rows.
  void run();
  void reset();

  [[nodiscard]] bool is_null(int column) const { return cursor_->is_null(column); }
  [[nodiscard]] std::int64_t integer(int column) const { return cursor_->integer(column); }
  [[nodiscard]] std::string_view text(int column) const { return cursor_->text(column); }
  [[nodiscard]] std::optional<std::string> text_or_null(int column) const;

 private:
  [[nodiscard]] bool ready();

  SqlConnection& connection_;
  const std::string sql_;
  std::unique_ptr<SqlCursor> cursor_;
};

// The first column of the first row, if there is one.
[[nodiscard]] std::optional<std::string> text_of(SqlConnection& connection, const std::string& sql);
[[nodiscard]] std::int64_t integer_of(SqlConnection& connection, const std::string& sql);

// "?7, ?8, ?9" for first 7, count 3.
[[nodiscard]] std::string placeholders(std::size_t first, std::size_t count);

}  // namespace stompbox::catalog

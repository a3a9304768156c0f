#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/result.h"

namespace stompbox::catalog {

enum class SqliteAccess { kRead, kReadWrite };

// One SQLite connection. The first failure stays until clear_failure(): statements do nothing
// meanwhile, so that a sequence of them needs one look at its end. Single-threaded.
class SqliteConnection {
 public:
  // Opens an existing file; never makes one. `uri` is a path or a file: URI.
  [[nodiscard]] static storage::Result<std::unique_ptr<SqliteConnection>> open(
      const std::string& uri, SqliteAccess access, std::chrono::milliseconds busy_timeout);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // Runs statements that give no rows and take no values.
  void run(const std::string& sql);
  // The first column of the first row, if there is one.
  [[nodiscard]] std::optional<std::string> text_of(const std::string& sql);

  [[nodiscard]] bool failed() const { return failure_ != SQLITE_OK; }
  [[nodiscard]] int failure() const { return failure_; }  // extended result code
  [[nodiscard]] storage::Error error() const;             // of a failed connection only
  void clear_failure();
  void note(int result);  // a result code; keeps the first failure

  [[nodiscard]] bool in_transaction() const { return sqlite3_get_autocommit(raw_) == 0; }
  [[nodiscard]] std::int64_t last_id() const { return sqlite3_last_insert_rowid(raw_); }
  [[nodiscard]] sqlite3* raw() { return raw_; }

 private:
  SqliteConnection(sqlite3* raw, std::string path) : raw_(raw), path_(std::move(path)) {}
  static int wait_for_lock(void* self, int attempt);

  sqlite3* const raw_;
  const std::string path_;
  std::chrono::milliseconds busy_timeout_{0};
  std::chrono::steady_clock::time_point waits_since_;
  int failure_ = SQLITE_OK;
  std::string detail_;
};

// One prepared statement, made at its first use and kept. Bound texts are not copied: they must
// live until the statement has run. Indices count from 1, columns from 0.
class SqliteStatement {
 public:
  SqliteStatement(SqliteConnection& connection, std::string sql)
      : connection_(connection), sql_(std::move(sql)) {}
  ~SqliteStatement() { sqlite3_finalize(raw_); }
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  SqliteStatement& bind(int index, std::int64_t value);
  SqliteStatement& bind(int index, std::string_view text);
  SqliteStatement& bind_null(int index);
  SqliteStatement& bind_named(const char* name, std::string_view text);
  // NULL where there is nothing.
  SqliteStatement& bind_optional(int index, const std::optional<std::int64_t>& value);
  SqliteStatement& bind_optional(int index, const std::optional<std::string>& text);

  // True: a row is there. False: there is none left, or the connection has failed; the statement is
  // ready to be bound again either way.
  [[nodiscard]] bool step();
  // For statements without rows.
  void run();
  // Ends a statement of which no more rows are wanted.
  void reset();

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  // Lives until the next step or reset.
  [[nodiscard]] std::string_view text(int column) const;

 private:
  [[nodiscard]] bool ready();

  SqliteConnection& connection_;
  const std::string sql_;
  sqlite3_stmt* raw_ = nullptr;
};

}  // namespace stompbox::catalog

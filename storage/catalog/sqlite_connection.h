#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "storage/catalog/sql.h"
#include "storage/result.h"

namespace stompbox::catalog {

enum class SqliteAccess { kRead, kReadWrite };

// One SQLite connection. Single-threaded.
class SqliteConnection final : public SqlConnection {
 public:
  // Opens an existing file; never makes one. `uri` is a path or a file: URI. Errors call the file
  // `path`, as the user does.
  [[nodiscard]] static storage::Result<std::unique_ptr<SqliteConnection>> open(
      const std::string& uri, SqliteAccess access, std::chrono::milliseconds busy_timeout,
      const std::string& path);
  [[nodiscard]] static storage::Result<std::unique_ptr<SqliteConnection>> open(
      const std::string& path, SqliteAccess access, std::chrono::milliseconds busy_timeout) {
    return open(path, access, busy_timeout, path);
  }
  ~SqliteConnection() override;
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  [[nodiscard]] const SqlDialect& dialect() const override;
  [[nodiscard]] std::unique_ptr<SqlCursor> prepare(const std::string& sql) override;
  void run(const std::string& sql) override;
  [[nodiscard]] bool failed() const override { return failure_ != SQLITE_OK; }
  [[nodiscard]] storage::Error error() const override;
  void clear_failure() override;
  [[nodiscard]] bool in_transaction() const override { return sqlite3_get_autocommit(raw_) == 0; }
  [[nodiscard]] InsertedIds inserted_ids(std::size_t rows) const override;

  [[nodiscard]] int failure() const { return failure_; }  // extended result code
  void note(int result);                                  // a result code; keeps the first failure
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

}  // namespace stompbox::catalog

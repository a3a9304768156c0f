#include "storage/catalog/sqlite_connection.h"

#include <cassert>
#include <utility>

#include "storage/catalog/crc32.h"
#include "storage/catalog/sqlite_errors.h"

namespace stompbox::catalog {

using storage::Result;

namespace {

constexpr SqlDialect kDialect = {
    .kind = SqlKind::kSqlite,
    // Else each statement copies every page that it changes.
    .insert_into = "INSERT OR FAIL INTO ",
    .yes = "t",
    .no = "f",
    .on_same_name = " ON CONFLICT (name) DO UPDATE SET ",
    .lock_rows = "",  // a write transaction has the whole database
    .no_index = "+",
    .data_version = "PRAGMA data_version",
    .second_digits = 6,
    .rows_max = 32,
    .asked_max = 1,
};

// What MySQL has built in.
void crc32_of_cell(sqlite3_context* context, int, sqlite3_value** arguments) {
  if (sqlite3_value_type(arguments[0]) == SQLITE_NULL) return;
  const auto* const text = reinterpret_cast<const char*>(sqlite3_value_text(arguments[0]));
  const auto bytes = static_cast<std::size_t>(sqlite3_value_bytes(arguments[0]));
  sqlite3_result_int64(context, crc32(std::string_view(text, text == nullptr ? 0 : bytes)));
}

// The library counts its memory under a lock that every allocation takes; nobody looks at the sum.
// It listens before its first use only, and is none the worse where somebody was there before us.
void count_no_memory() {
  static const int answer = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(answer);
}

class SqliteCursor final : public SqlCursor {
 public:
  SqliteCursor(SqliteConnection& connection, sqlite3_stmt* raw)
      : connection_(connection), raw_(raw) {}
  ~SqliteCursor() override { sqlite3_finalize(raw_); }
  SqliteCursor(const SqliteCursor&) = delete;
  SqliteCursor& operator=(const SqliteCursor&) = delete;

  void bind(int index, std::int64_t value) override {
    connection_.note(sqlite3_bind_int64(raw_, index, value));
  }
  void bind(int index, std::string_view text) override {
    // An empty view may have no address, which SQLite would take for NULL.
    const char* const at = text.data() == nullptr ? "" : text.data();
    connection_.note(sqlite3_bind_text64(raw_, index, at, text.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
  void bind_null(int index) override { connection_.note(sqlite3_bind_null(raw_, index)); }

  bool step() override {
    const int result = sqlite3_step(raw_);
    if (result == SQLITE_ROW) return true;
    connection_.note(result);
    reset();
    return false;
  }
  void reset() override { sqlite3_reset(raw_); }

  bool is_null(int column) const override {
    return sqlite3_column_type(raw_, column) == SQLITE_NULL;
  }
  std::int64_t integer(int column) const override { return sqlite3_column_int64(raw_, column); }
  std::string_view text(int column) const override {
    const unsigned char* const text = sqlite3_column_text(raw_, column);
    if (text == nullptr) return {};
    return {reinterpret_cast<const char*>(text),
            static_cast<std::size_t>(sqlite3_column_bytes(raw_, column))};
  }

 private:
  SqliteConnection& connection_;
  sqlite3_stmt* const raw_;
};

}  // namespace

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(
    const std::string& uri, SqliteAccess access, std::chrono::milliseconds busy_timeout,
    const std::string& path) {
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE |
                    (access == SqliteAccess::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
  count_no_memory();
  sqlite3* raw = nullptr;
  const int result = sqlite3_open_v2(uri.c_str(), &raw, flags, nullptr);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(raw, path));
  if (result != SQLITE_OK) {
    connection->note(result);
    return connection->error();
  }
  connection->busy_timeout_ = busy_timeout;
  sqlite3_busy_handler(raw, wait_for_lock, connection.get());
  connection->note(sqlite3_create_function(raw, "crc32", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                           nullptr, crc32_of_cell, nullptr, nullptr));
  return connection;
}

// SQLite's own handler comes to wait 100 ms between attempts, and never finds the gaps between the
// many small transactions of a master.
int SqliteConnection::wait_for_lock(void* self, int attempt) {
  auto& connection = *static_cast<SqliteConnection*>(self);
  const auto now = std::chrono::steady_clock::now();
  if (attempt == 0) connection.waits_since_ = now;
  if (now - connection.waits_since_ >= connection.busy_timeout_) return 0;
  sqlite3_sleep(1);
  return 1;
}

// Statements are gone by now: they are destroyed before the connection that they name.
SqliteConnection::~SqliteConnection() {
  sqlite3_close(raw_);
}

void SqliteConnection::run(const std::string& sql) {
  if (failed()) return;
  note(sqlite3_exec(raw_, sql.c_str(), nullptr, nullptr, nullptr));
}

const SqlDialect& SqliteConnection::dialect() const {
  return kDialect;
}

std::unique_ptr<SqlCursor> SqliteConnection::prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  note(sqlite3_prepare_v3(raw_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                          &statement, nullptr));
  if (failed()) return nullptr;
  return std::make_unique<SqliteCursor>(*this, statement);
}

// The rows of one INSERT have ids without a gap; the library knows the last one.
SqlConnection::InsertedIds SqliteConnection::inserted_ids(std::size_t rows) const {
  return {sqlite3_last_insert_rowid(raw_) - static_cast<std::int64_t>(rows) + 1, 1};
}

storage::Error SqliteConnection::error() const {
  assert(failed());
  return sqlite_error(failure_, path_, detail_);
}

void SqliteConnection::clear_failure() {
  failure_ = SQLITE_OK;
  detail_.clear();
}

void SqliteConnection::note(int result) {
  if (failed() || result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE) return;
  failure_ = result;
  detail_ = raw_ == nullptr ? sqlite3_errstr(result) : sqlite3_errmsg(raw_);
}

}  // namespace stompbox::catalog

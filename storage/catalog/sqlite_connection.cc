#include "storage/catalog/sqlite_connection.h"

#include <cassert>
#include <utility>

#include "storage/catalog/sqlite_errors.h"

namespace stompbox::catalog {

using storage::Result;

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(
    const std::string& uri, SqliteAccess access, std::chrono::milliseconds busy_timeout) {
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE |
                    (access == SqliteAccess::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
  sqlite3* raw = nullptr;
  const int result = sqlite3_open_v2(uri.c_str(), &raw, flags, nullptr);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(raw, uri));
  if (result != SQLITE_OK) {
    connection->note(result);
    return connection->error();
  }
  connection->busy_timeout_ = busy_timeout;
  sqlite3_busy_handler(raw, wait_for_lock, connection.get());
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

std::optional<std::string> SqliteConnection::text_of(const std::string& sql) {
  SqliteStatement statement(*this, sql);
  if (!statement.step()) return std::nullopt;
  return std::string(statement.text(0));
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

bool SqliteStatement::ready() {
  if (connection_.failed()) return false;
  if (raw_ != nullptr) return true;
  connection_.note(sqlite3_prepare_v3(connection_.raw(), sql_.data(), static_cast<int>(sql_.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw_, nullptr));
  return !connection_.failed();
}

SqliteStatement& SqliteStatement::bind(int index, std::int64_t value) {
  if (ready()) connection_.note(sqlite3_bind_int64(raw_, index, value));
  return *this;
}

SqliteStatement& SqliteStatement::bind(int index, std::string_view text) {
  if (!ready()) return *this;
  // An empty view may have no address, which SQLite would take for NULL.
  const char* const at = text.data() == nullptr ? "" : text.data();
  connection_.note(sqlite3_bind_text64(raw_, index, at, text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

SqliteStatement& SqliteStatement::bind_optional(int index,
                                                const std::optional<std::int64_t>& value) {
  return value ? bind(index, *value) : bind_null(index);
}

SqliteStatement& SqliteStatement::bind_optional(int index, const std::optional<std::string>& text) {
  return text ? bind(index, std::string_view(*text)) : bind_null(index);
}

SqliteStatement& SqliteStatement::bind_named(const char* name, std::string_view text) {
  if (ready()) bind(sqlite3_bind_parameter_index(raw_, name), text);
  return *this;
}

SqliteStatement& SqliteStatement::bind_null(int index) {
  if (ready()) connection_.note(sqlite3_bind_null(raw_, index));
  return *this;
}

bool SqliteStatement::step() {
  if (!ready()) {
    reset();
    return false;
  }
  const int result = sqlite3_step(raw_);
  if (result == SQLITE_ROW) return true;
  connection_.note(result);
  reset();
  return false;
}

void SqliteStatement::run() {
  while (step()) {
  }
}

void SqliteStatement::reset() {
  if (raw_ != nullptr) sqlite3_reset(raw_);
}

bool SqliteStatement::is_null(int column) const {
  return sqlite3_column_type(raw_, column) == SQLITE_NULL;
}

std::int64_t SqliteStatement::integer(int column) const {
  return sqlite3_column_int64(raw_, column);
}

std::string_view SqliteStatement::text(int column) const {
  const unsigned char* const text = sqlite3_column_text(raw_, column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text),
          static_cast<std::size_t>(sqlite3_column_bytes(raw_, column))};
}

}  // namespace stompbox::catalog

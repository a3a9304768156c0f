#include "storage/catalog/care/care_steps.h"

#include <algorithm>

#include "storage/catalog/schema.h"

namespace stompbox::catalog::care {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::kOk;
using storage::Status;

constexpr int kAttemptsMax = 5;
constexpr int kFreeTimes = 3;  // as SqliteCourtesy has it
constexpr std::chrono::milliseconds kFreeMax{1000};

Status attempt(SqlConnection& db, const std::function<void()>& body) {
  db.run(db.dialect().kind == SqlKind::kSqlite ? "BEGIN IMMEDIATE" : "START TRANSACTION");
  if (!db.failed()) body();
  if (!db.failed()) db.run("COMMIT");
  Status status = take_failure(db);
  if (status) return status;
  if (db.in_transaction()) db.run("ROLLBACK");
  db.clear_failure();
  return status;
}

}  // namespace

IdWindows::IdWindows(SqlConnection& db, const std::string& table)
    : end_(db, "SELECT max(id) FROM (SELECT id FROM " + table +
                   " WHERE id > ?1 ORDER BY id LIMIT " + std::to_string(kRows) + ") w") {}

std::optional<IdWindows::Window> IdWindows::next() {
  end_.bind(1, after_);
  if (!end_.step()) return std::nullopt;
  const bool at_end = end_.is_null(0);
  const Window window{after_, at_end ? after_ : end_.integer(0)};
  end_.reset();
  if (at_end) return std::nullopt;
  after_ = window.through;
  return window;
}

void bind(SqlStatement& statement, const IdWindows::Window& window) {
  statement.bind(1, window.after).bind(2, window.through);
}

std::uint64_t count_rows(SqlConnection& db, const std::string& table) {
  IdWindows windows(db, table);
  SqlStatement count(db, "SELECT count(*) FROM " + table + " c WHERE c.id > ?1 AND c.id <= ?2");
  std::uint64_t rows = 0;
  while (const auto window = windows.next()) {
    bind(count, *window);
    if (count.step()) rows += static_cast<std::uint64_t>(count.integer(0));
    count.reset();
  }
  return rows;
}

Status take_failure(SqlConnection& db) {
  if (!db.failed()) return kOk;
  Error error = db.error();
  db.clear_failure();
  return error;
}

Status in_write_transaction(SqlConnection& db, const std::function<void()>& body) {
  Status status = attempt(db, body);
  for (int i = 1; i < kAttemptsMax && !status && status.error().code == ErrorCode::kBusy; ++i)
    status = attempt(db, body);
  return status;
}

OwnTable look_for_own_table(SqlConnection& db) {
  const std::string of = db.dialect().kind == SqlKind::kSqlite
                             ? "sqlite_master WHERE type = 'table' AND name = '"
                             : "information_schema.tables WHERE table_schema = database()"
                               " AND table_name = '";
  const auto count = integer_of(db, "SELECT count(*) FROM " + of + std::string(kOwnTable) + "'");
  return count > 0 ? OwnTable::kThere : OwnTable::kMissing;
}

void lock_node(SqlConnection& db, OwnTable own, std::string_view name, std::int64_t host_id) {
  const std::string lock_rows(db.dialect().lock_rows);
  if (own == OwnTable::kThere) {
    SqlStatement record(
        db, "SELECT name FROM " + std::string(kOwnTable) + " WHERE name = ?1" + lock_rows);
    record.bind(1, name).run();
  }
  SqlStatement host(db, "SELECT id FROM hosts WHERE id = ?1" + lock_rows);
  host.bind(1, host_id).run();
}

std::vector<std::int64_t> hosts_named(SqlConnection& db, std::string_view name) {
  std::vector<std::int64_t> ids;
  SqlStatement select(db, "SELECT id, name FROM hosts WHERE name = ?1 ORDER BY id" +
                              std::string(db.dialect().lock_rows));
  select.bind(1, name);
  while (select.step()) {
    if (select.text(1) == name) ids.push_back(select.integer(0));
  }
  return ids;
}

void distrust_record(SqlConnection& db, OwnTable own, std::string_view node) {
  if (own == OwnTable::kMissing) return;
  SqlStatement forget(db, "UPDATE " + std::string(kOwnTable) + " SET digest = '' WHERE name = ?1");
  forget.bind(1, node).run();
}

void LockPause::end() {
  const auto held =
      std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - since_);
  longest_ = std::max(longest_, held);
  watch_.rest(std::min(kFreeTimes * held, kFreeMax));
}

}  // namespace stompbox::catalog::care

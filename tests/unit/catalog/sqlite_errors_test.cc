#include "storage/catalog/sqlite_errors.h"

#include <sqlite3.h>

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace stompbox::catalog {
namespace {

using storage::ErrorCode;

struct Expected {
  int code;
  SqliteBlame blame;
  ErrorCode error;
};

constexpr auto kDatabase = SqliteBlame::kDatabase;
constexpr auto kMessage = SqliteBlame::kMessage;

constexpr Expected kExpected[] = {
    {SQLITE_BUSY, kDatabase, ErrorCode::kBusy},
    {SQLITE_BUSY_RECOVERY, kDatabase, ErrorCode::kBusy},
    {SQLITE_BUSY_SNAPSHOT, kDatabase, ErrorCode::kBusy},
    {SQLITE_LOCKED, kDatabase, ErrorCode::kBusy},
    {SQLITE_LOCKED_SHAREDCACHE, kDatabase, ErrorCode::kBusy},
    {SQLITE_PROTOCOL, kDatabase, ErrorCode::kBusy},
    {SQLITE_FULL, kDatabase, ErrorCode::kFull},
    {SQLITE_IOERR, kDatabase, ErrorCode::kIo},
    {SQLITE_IOERR_WRITE, kDatabase, ErrorCode::kIo},
    {SQLITE_IOERR_FSYNC, kDatabase, ErrorCode::kIo},
    {SQLITE_IOERR_NOMEM, kDatabase, ErrorCode::kUnavailable},
    {SQLITE_NOMEM, kDatabase, ErrorCode::kUnavailable},
    {SQLITE_NOLFS, kDatabase, ErrorCode::kTooLarge},
    {SQLITE_PERM, kDatabase, ErrorCode::kDenied},
    {SQLITE_AUTH, kDatabase, ErrorCode::kDenied},
    {SQLITE_READONLY, kDatabase, ErrorCode::kDenied},
    {SQLITE_READONLY_DIRECTORY, kDatabase, ErrorCode::kDenied},
    {SQLITE_READONLY_DBMOVED, kDatabase, ErrorCode::kUnavailable},
    {SQLITE_CANTOPEN, kDatabase, ErrorCode::kUnavailable},
    {SQLITE_CANTOPEN_ISDIR, kDatabase, ErrorCode::kUnavailable},
    {SQLITE_CORRUPT, kDatabase, ErrorCode::kCorrupt},
    {SQLITE_CORRUPT_INDEX, kDatabase, ErrorCode::kCorrupt},
    {SQLITE_NOTADB, kDatabase, ErrorCode::kCorrupt},
    {SQLITE_FORMAT, kDatabase, ErrorCode::kCorrupt},
    {SQLITE_ERROR, kDatabase, ErrorCode::kUnavailable},
    {SQLITE_SCHEMA, kDatabase, ErrorCode::kUnavailable},
    {SQLITE_ABORT, kDatabase, ErrorCode::kUnavailable},
    {SQLITE_ABORT_ROLLBACK, kDatabase, ErrorCode::kUnavailable},
    {SQLITE_INTERRUPT, kDatabase, ErrorCode::kUnavailable},
    {SQLITE_TOOBIG, kMessage, ErrorCode::kTooLarge},
    {SQLITE_CONSTRAINT, kMessage, ErrorCode::kInvalid},
    {SQLITE_CONSTRAINT_UNIQUE, kMessage, ErrorCode::kInvalid},
    {SQLITE_CONSTRAINT_NOTNULL, kMessage, ErrorCode::kInvalid},
    {SQLITE_CONSTRAINT_TRIGGER, kMessage, ErrorCode::kInvalid},
    {SQLITE_MISMATCH, kMessage, ErrorCode::kInvalid},
    {SQLITE_MISUSE, kMessage, ErrorCode::kIo},
    {SQLITE_RANGE, kMessage, ErrorCode::kIo},
    {SQLITE_INTERNAL, kMessage, ErrorCode::kIo},
};

}  // namespace

TEST_CASE("each result code of SQLite is the database's fault or the message's") {
  for (const Expected& expected : kExpected) {
    CAPTURE(expected.code);
    const SqliteErrorRow& row = sqlite_error_row(expected.code);
    CHECK(row.blame == expected.blame);
    CHECK(row.error == expected.error);
  }
}

TEST_CASE("each row of the table of database errors is expected above, and stands once") {
  std::set<int> expected, seen;
  for (const Expected& row : kExpected)
    expected.insert(row.code);
  for (const SqliteErrorRow& row : sqlite_error_rows()) {
    CHECK(expected.contains(row.code));
    CHECK(seen.insert(row.code).second);
  }
}

TEST_CASE("a code that SQLite invents later is the database's fault") {
  CHECK(sqlite_error_row(77).blame == SqliteBlame::kDatabase);
}

TEST_CASE("an error is one sentence: the file, what happened, SQLite's words, the remedy") {
  const storage::Error error = sqlite_error(SQLITE_FULL, "/x.sqlite3", "database or disk is full");
  CHECK(error.code == ErrorCode::kFull);
  CHECK(error.text ==
        "the catalog database /x.sqlite3 has no room left on its disk (database or disk is full):"
        " make room: storing goes on by itself");
}

}  // namespace stompbox::catalog

#include "storage/catalog/sqlite_errors.h"

#include <sqlite3.h>

namespace stompbox::catalog {
namespace {

using storage::ErrorCode;
constexpr auto kDatabase = SqliteBlame::kDatabase;
constexpr auto kMessage = SqliteBlame::kMessage;

constexpr SqliteErrorRow kRows[] = {
    // Somebody else has it.
    {SQLITE_BUSY, kDatabase, ErrorCode::kBusy, "is locked by another process",
     "wait, or end the process that holds it"},
    {SQLITE_LOCKED, kDatabase, ErrorCode::kBusy, "is locked by another connection", "wait"},
    {SQLITE_PROTOCOL, kDatabase, ErrorCode::kBusy, "is locked by too many processes at once",
     "wait"},
    // The machine.
    {SQLITE_FULL, kDatabase, ErrorCode::kFull, "has no room left on its disk",
     "make room: storing goes on by itself"},
    {SQLITE_IOERR, kDatabase, ErrorCode::kIo, "could not be read or written",
     "look into the kernel log for the state of its disk"},
    {SQLITE_NOMEM, kDatabase, ErrorCode::kUnavailable, "needs more memory than there is", ""},
    {SQLITE_IOERR_NOMEM, kDatabase, ErrorCode::kUnavailable, "needs more memory than there is", ""},
    {SQLITE_NOLFS, kDatabase, ErrorCode::kTooLarge, "is too large for its file system",
     "move it to another file system"},
    // The file and its permissions.
    {SQLITE_PERM, kDatabase, ErrorCode::kDenied, "may not be used by this process",
     "check owner and mode of the file and its folder"},
    {SQLITE_AUTH, kDatabase, ErrorCode::kDenied, "may not be used by this process", ""},
    {SQLITE_READONLY, kDatabase, ErrorCode::kDenied, "may not be written by this process",
     "check owner and mode of the file and its folder"},
    {SQLITE_READONLY_DBMOVED, kDatabase, ErrorCode::kUnavailable, "was moved away or replaced",
     "it is opened anew by itself"},
    {SQLITE_CANTOPEN, kDatabase, ErrorCode::kUnavailable, "cannot be opened",
     "check that its folder exists and may be written"},
    {SQLITE_CORRUPT, kDatabase, ErrorCode::kCorrupt, "is damaged",
     "restore it, or save what can be read with `sqlite3 FILE .recover`"},
    {SQLITE_NOTADB, kDatabase, ErrorCode::kCorrupt, "is not a SQLite database",
     "name another file, or move this one away"},
    {SQLITE_FORMAT, kDatabase, ErrorCode::kCorrupt, "is damaged", "restore it"},
    // The statements that we make: a table changed under us, or somebody stopped us.
    {SQLITE_ERROR, kDatabase, ErrorCode::kUnavailable, "does not take our statements",
     "check that its tables are those of Puppet's storeconfigs"},
    {SQLITE_SCHEMA, kDatabase, ErrorCode::kUnavailable, "keeps changing its tables", "wait"},
    {SQLITE_ABORT, kDatabase, ErrorCode::kUnavailable, "was interrupted", ""},
    {SQLITE_INTERRUPT, kDatabase, ErrorCode::kUnavailable, "was interrupted", ""},
    // This catalog.
    {SQLITE_TOOBIG, kMessage, ErrorCode::kTooLarge, "cannot hold a value of this size", ""},
    {SQLITE_CONSTRAINT, kMessage, ErrorCode::kInvalid, "has a constraint that this breaks",
     "Puppet's own schema has none: drop the index or trigger that was added"},
    {SQLITE_MISMATCH, kMessage, ErrorCode::kInvalid, "has a column of another type", ""},
    // Our own mistakes: one message may not stop the others for ever.
    {SQLITE_MISUSE, kMessage, ErrorCode::kIo, "was used in a wrong way by this program", ""},
    {SQLITE_RANGE, kMessage, ErrorCode::kIo, "was used in a wrong way by this program", ""},
    {SQLITE_INTERNAL, kMessage, ErrorCode::kIo, "met an error inside SQLite", ""},
};

constexpr SqliteErrorRow kUnknown = {0, kDatabase, ErrorCode::kIo, "failed", ""};

constexpr int kPrimaryMask = 0xff;

}  // namespace

std::span<const SqliteErrorRow> sqlite_error_rows() {
  return kRows;
}

const SqliteErrorRow& sqlite_error_row(int extended_code) {
  for (const SqliteErrorRow& row : kRows) {
    if (row.code == extended_code) return row;
  }
  for (const SqliteErrorRow& row : kRows) {
    if (row.code == (extended_code & kPrimaryMask)) return row;
  }
  return kUnknown;
}

storage::Error sqlite_error(int extended_code, const std::string& path, std::string_view detail) {
  const SqliteErrorRow& row = sqlite_error_row(extended_code);
  std::string text = "the catalog database " + path + " " + std::string(row.what);
  if (!detail.empty()) text += " (" + std::string(detail) + ")";
  if (!row.remedy.empty()) text += ": " + std::string(row.remedy);
  return {row.error, text};
}

}  // namespace stompbox::catalog

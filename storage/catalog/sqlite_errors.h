#pragma once

#include <span>
#include <string>
#include <string_view>

#include "storage/result.h"

// The one table of what SQLite's result codes mean to us (DESIGN §4).
namespace stompbox::catalog {

enum class SqliteBlame {
  kDatabase,  // transient: nothing is acked, the same save may work later
  kMessage,   // permanent: the same save will fail again; the others go on
};

struct SqliteErrorRow {
  int code = 0;  // primary result code, or an extended one that differs from its primary
  SqliteBlame blame = SqliteBlame::kDatabase;
  storage::ErrorCode error = storage::ErrorCode::kIo;
  std::string_view what;    // follows "the catalog database PATH "
  std::string_view remedy;  // a clause of its own; may be empty
};

[[nodiscard]] std::span<const SqliteErrorRow> sqlite_error_rows();

// The row of an extended result code; that of its primary code where it has none of its own. Codes
// that SQLite may invent later count as the database's trouble.
[[nodiscard]] const SqliteErrorRow& sqlite_error_row(int extended_code);

// One sentence: what happened to which file, SQLite's own words, the remedy.
[[nodiscard]] storage::Error sqlite_error(int extended_code, const std::string& path,
                                          std::string_view detail);

}  // namespace stompbox::catalog

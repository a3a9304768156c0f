#pragma once

#include <span>
#include <string>
#include <string_view>

#include "storage/result.h"

// The one table of what error numbers of MySQL, MariaDB and their client library mean to us.
namespace stompbox::catalog {

enum class MysqlBlame {
  kDatabase,  // transient: nothing is acked, the same save may work later
  kRetry,     // the transaction lost against another one and is done again at once (rule 16)
  kMessage,   // permanent: the same save will fail again; the others go on
};

struct MysqlErrorRow {
  unsigned code = 0;
  MysqlBlame blame = MysqlBlame::kDatabase;
  storage::ErrorCode error = storage::ErrorCode::kIo;
  std::string_view what;    // follows "the catalog database PLACE "
  std::string_view remedy;  // a clause of its own; may be empty
};

inline constexpr unsigned kMysqlDeadlock = 1213;
inline constexpr unsigned kMysqlFailed = 2000;  // nothing else is known
inline constexpr unsigned kMysqlNoMemory = 2008;
inline constexpr unsigned kMysqlTlsFailed = 2026;

[[nodiscard]] std::span<const MysqlErrorRow> mysql_error_rows();

// The row of an error number; those that are not in the table count as the database's trouble. A
// duplicate primary key is that of a table whose ids are used up: we never choose one (rule 14).
[[nodiscard]] const MysqlErrorRow& mysql_error_row(unsigned code, std::string_view detail);

// One sentence: what happened to which database, the server's own words, the remedy.
[[nodiscard]] storage::Error mysql_error(unsigned code, const std::string& place,
                                         std::string_view detail);

}  // namespace stompbox::catalog

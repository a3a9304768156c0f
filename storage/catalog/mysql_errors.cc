#include "storage/catalog/mysql_errors.h"

namespace stompbox::catalog {
namespace {

using storage::ErrorCode;
constexpr auto kDatabase = MysqlBlame::kDatabase;
constexpr auto kRetry = MysqlBlame::kRetry;
constexpr auto kMessage = MysqlBlame::kMessage;

constexpr unsigned kDuplicateEntry = 1062;
constexpr unsigned kNoMoreIds = 1467;

constexpr std::string_view kOffline = "cannot be reached";
constexpr std::string_view kOfflineRemedy =
    "check that the server runs and that address and socket are right";
constexpr std::string_view kLost = "was lost in the middle of a statement";
constexpr std::string_view kLostRemedy = "it is connected to anew by itself";
constexpr std::string_view kDenied = "may not be used by this user";
constexpr std::string_view kDeniedRemedy =
    "check user, password and GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX";
constexpr std::string_view kReadOnly = "may only be read now";
constexpr std::string_view kReadOnlyRemedy =
    "name the primary server, or end its read-only mode: storing goes on by itself";
constexpr std::string_view kFull = "has no room left";
constexpr std::string_view kFullRemedy = "make room: storing goes on by itself";
constexpr std::string_view kDamaged = "has a damaged table";
constexpr std::string_view kDamagedRemedy = "look into the server's own log";
constexpr std::string_view kNoMemory = "needs more memory than there is";
constexpr std::string_view kStatements = "does not take our statements";
constexpr std::string_view kStatementsRemedy =
    "check that its tables are those of Puppet's storeconfigs";
constexpr std::string_view kConstraint = "has a constraint that this breaks";
constexpr std::string_view kConstraintRemedy =
    "Puppet's own schema has none: drop the index, key or trigger that was added";
constexpr std::string_view kTooLong = "cannot hold a value of this size";
constexpr std::string_view kTooLongRemedy =
    "widen the column with `stompbox store repair --widen`, or raise max_allowed_packet";
constexpr std::string_view kCharset = "cannot hold these characters";
constexpr std::string_view kCharsetRemedy =
    "convert its tables to utf8mb4, or check the option for the character set";

constexpr MysqlErrorRow kRows[] = {
    // Another transaction was faster.
    {kMysqlDeadlock, kRetry, ErrorCode::kBusy, "chose this transaction to end a deadlock", "wait"},
    {1205, kRetry, ErrorCode::kBusy, "is locked by another connection",
     "wait, or end the connection that holds it"},
    {1020, kRetry, ErrorCode::kBusy, "was changed by another connection", "wait"},
    {1206, kDatabase, ErrorCode::kBusy, "has too many locks", "raise innodb_buffer_pool_size"},
    // The way to the server.
    {2002, kDatabase, ErrorCode::kUnavailable, kOffline, kOfflineRemedy},
    {2003, kDatabase, ErrorCode::kUnavailable, kOffline, kOfflineRemedy},
    {2001, kDatabase, ErrorCode::kUnavailable, kOffline, ""},
    {2004, kDatabase, ErrorCode::kUnavailable, kOffline, ""},
    {2005, kDatabase, ErrorCode::kUnavailable, "is on a host that has no address",
     "check its name"},
    {2006, kDatabase, ErrorCode::kUnavailable, kLost, kLostRemedy},
    {2012, kDatabase, ErrorCode::kUnavailable, kOffline, kOfflineRemedy},
    {2013, kDatabase, ErrorCode::kUnavailable, kLost, kLostRemedy},
    {2055, kDatabase, ErrorCode::kUnavailable, kLost, kLostRemedy},
    {5013, kDatabase, ErrorCode::kUnavailable, kLost, kLostRemedy},
    {5014, kDatabase, ErrorCode::kUnavailable, kLost, kLostRemedy},
    {kMysqlTlsFailed, kDatabase, ErrorCode::kDenied, "cannot be reached over TLS",
     "check the certificates, or the option for TLS"},
    {2059, kDatabase, ErrorCode::kDenied, "wants a way of authentication that is not installed",
     "give the user another one"},
    {2061, kDatabase, ErrorCode::kDenied, "wants a way of authentication that failed", ""},
    {kMysqlNoMemory, kDatabase, ErrorCode::kUnavailable, kNoMemory, ""},
    {1152, kDatabase, ErrorCode::kUnavailable, kLost, kLostRemedy},
    {1158, kDatabase, ErrorCode::kUnavailable, kLost, kLostRemedy},
    {1159, kDatabase, ErrorCode::kUnavailable, kLost, kLostRemedy},
    {1160, kDatabase, ErrorCode::kUnavailable, kLost, kLostRemedy},
    {1161, kDatabase, ErrorCode::kUnavailable, kLost, kLostRemedy},
    // The server's state.
    {1040, kDatabase, ErrorCode::kUnavailable, "has too many connections", "raise max_connections"},
    {1203, kDatabase, ErrorCode::kUnavailable, "has too many connections of this user",
     "raise max_user_connections"},
    {1226, kDatabase, ErrorCode::kUnavailable, "has used up what this user may do in an hour",
     "raise the user's limits"},
    {1047, kDatabase, ErrorCode::kUnavailable, "is not ready",
     "a node of a cluster that has lost the others: see to its network"},
    {1053, kDatabase, ErrorCode::kUnavailable, "is shutting down", kLostRemedy},
    {1317, kDatabase, ErrorCode::kUnavailable, "was interrupted", ""},
    {1927, kDatabase, ErrorCode::kUnavailable, "was interrupted", kLostRemedy},
    {1969, kDatabase, ErrorCode::kUnavailable, "was too slow", "raise max_statement_time"},
    {3024, kDatabase, ErrorCode::kUnavailable, "was too slow", "raise max_execution_time"},
    {1180, kDatabase, ErrorCode::kIo, "could not commit", ""},
    {1290, kDatabase, ErrorCode::kDenied, kReadOnly, kReadOnlyRemedy},
    {1792, kDatabase, ErrorCode::kDenied, kReadOnly, kReadOnlyRemedy},
    {1836, kDatabase, ErrorCode::kDenied, kReadOnly, kReadOnlyRemedy},
    {1037, kDatabase, ErrorCode::kUnavailable, kNoMemory, ""},
    {1038, kDatabase, ErrorCode::kUnavailable, kNoMemory, ""},
    {1041, kDatabase, ErrorCode::kUnavailable, kNoMemory, ""},
    {1461, kDatabase, ErrorCode::kUnavailable, "has too many prepared statements",
     "raise max_prepared_stmt_count"},
    // Who may do what.
    {1044, kDatabase, ErrorCode::kDenied, kDenied, kDeniedRemedy},
    {1045, kDatabase, ErrorCode::kDenied, kDenied, kDeniedRemedy},
    {1129, kDatabase, ErrorCode::kDenied, "refuses this host", "run mysqladmin flush-hosts"},
    {1130, kDatabase, ErrorCode::kDenied, "refuses this host", kDeniedRemedy},
    {1142, kDatabase, ErrorCode::kDenied, kDenied, kDeniedRemedy},
    {1143, kDatabase, ErrorCode::kDenied, kDenied, kDeniedRemedy},
    {1227, kDatabase, ErrorCode::kDenied, kDenied, kDeniedRemedy},
    {1698, kDatabase, ErrorCode::kDenied, kDenied, kDeniedRemedy},
    {1049, kDatabase, ErrorCode::kNotFound, "does not exist", "make it with CREATE DATABASE"},
    // Its disk and tables.
    {1021, kDatabase, ErrorCode::kFull, kFull, kFullRemedy},
    {1114, kDatabase, ErrorCode::kFull, kFull, kFullRemedy},
    {1026, kDatabase, ErrorCode::kIo, "could not be written", "look into the server's own log"},
    {1030, kDatabase, ErrorCode::kIo, "could not be read or written",
     "look into the server's own log"},
    {kNoMoreIds, kDatabase, ErrorCode::kTooLarge, "has used up the ids of a table",
     "change the type of its column id to bigint"},
    {1033, kDatabase, ErrorCode::kCorrupt, kDamaged, kDamagedRemedy},
    {1034, kDatabase, ErrorCode::kCorrupt, kDamaged, kDamagedRemedy},
    {1035, kDatabase, ErrorCode::kCorrupt, kDamaged, kDamagedRemedy},
    {1194, kDatabase, ErrorCode::kCorrupt, kDamaged, kDamagedRemedy},
    {1195, kDatabase, ErrorCode::kCorrupt, kDamaged, kDamagedRemedy},
    {1932, kDatabase, ErrorCode::kCorrupt, kDamaged, kDamagedRemedy},
    // The statements that we make: a table changed under us.
    {1054, kDatabase, ErrorCode::kUnavailable, kStatements, kStatementsRemedy},
    {1064, kDatabase, ErrorCode::kUnavailable, kStatements, ""},
    {1146, kDatabase, ErrorCode::kUnavailable, kStatements, kStatementsRemedy},
    {1412, kDatabase, ErrorCode::kUnavailable, "keeps changing its tables", "wait"},
    {1615, kDatabase, ErrorCode::kUnavailable, "keeps changing its tables", "wait"},
    {1665, kDatabase, ErrorCode::kUnavailable, "does not take our statements",
     "its binlog_format has changed: it is connected to anew by itself"},
    // This catalog.
    {1048, kMessage, ErrorCode::kInvalid, kConstraint, kConstraintRemedy},
    {kDuplicateEntry, kMessage, ErrorCode::kInvalid, kConstraint, kConstraintRemedy},
    {1169, kMessage, ErrorCode::kInvalid, kConstraint, kConstraintRemedy},
    {1216, kMessage, ErrorCode::kInvalid, kConstraint, kConstraintRemedy},
    {1217, kMessage, ErrorCode::kInvalid, kConstraint, kConstraintRemedy},
    {1364, kMessage, ErrorCode::kInvalid, kConstraint, kConstraintRemedy},
    {1451, kMessage, ErrorCode::kInvalid, kConstraint, kConstraintRemedy},
    {1452, kMessage, ErrorCode::kInvalid, kConstraint, kConstraintRemedy},
    {1644, kMessage, ErrorCode::kInvalid, kConstraint, kConstraintRemedy},
    {3819, kMessage, ErrorCode::kInvalid, kConstraint, kConstraintRemedy},
    {4025, kMessage, ErrorCode::kInvalid, kConstraint, kConstraintRemedy},
    {1118, kMessage, ErrorCode::kTooLarge, kTooLong, kTooLongRemedy},
    {1153, kMessage, ErrorCode::kTooLarge, kTooLong, kTooLongRemedy},
    {1406, kMessage, ErrorCode::kTooLarge, kTooLong, kTooLongRemedy},
    {1713, kMessage, ErrorCode::kTooLarge, kTooLong, kTooLongRemedy},
    {2020, kMessage, ErrorCode::kTooLarge, kTooLong, kTooLongRemedy},
    {1264, kMessage, ErrorCode::kInvalid, "cannot hold a number of this size", ""},
    {1265, kMessage, ErrorCode::kInvalid, "has a column of another type", ""},
    {1292, kMessage, ErrorCode::kInvalid, "has a column of another type", ""},
    {1267, kMessage, ErrorCode::kInvalid, kCharset, kCharsetRemedy},
    {1300, kMessage, ErrorCode::kInvalid, kCharset, kCharsetRemedy},
    {1366, kMessage, ErrorCode::kInvalid, kCharset, kCharsetRemedy},
};

constexpr MysqlErrorRow kUnknown = {0, kDatabase, ErrorCode::kIo, "failed", ""};

// "… for key 'PRIMARY'" of MariaDB, "… for key 'param_values.PRIMARY'" of MySQL 8.
bool is_primary_key(std::string_view detail) {
  return detail.ends_with("PRIMARY'");
}

}  // namespace

std::span<const MysqlErrorRow> mysql_error_rows() {
  return kRows;
}

const MysqlErrorRow& mysql_error_row(unsigned code, std::string_view detail) {
  if (code == kDuplicateEntry && is_primary_key(detail)) code = kNoMoreIds;
  for (const MysqlErrorRow& row : kRows) {
    if (row.code == code) return row;
  }
  return kUnknown;
}

storage::Error mysql_error(unsigned code, const std::string& place, std::string_view detail) {
  const MysqlErrorRow& row = mysql_error_row(code, detail);
  std::string text = "the catalog database " + place + " " + std::string(row.what);
  text += " (" + std::to_string(code);
  if (!detail.empty()) text += ": " + std::string(detail);
  text += ")";
  if (!row.remedy.empty()) text += ": " + std::string(row.remedy);
  return {row.error, text};
}

}  // namespace stompbox::catalog

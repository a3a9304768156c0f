#include "storage/catalog/mysql_errors.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace stompbox::catalog {
namespace {

using storage::ErrorCode;

struct Expected {
  unsigned code;
  MysqlBlame blame;
  ErrorCode error;
};

constexpr auto kDatabase = MysqlBlame::kDatabase;
constexpr auto kRetry = MysqlBlame::kRetry;
constexpr auto kMessage = MysqlBlame::kMessage;

constexpr Expected kExpected[] = {
    {1205, kRetry, ErrorCode::kBusy},           {1213, kRetry, ErrorCode::kBusy},
    {2002, kDatabase, ErrorCode::kUnavailable}, {2003, kDatabase, ErrorCode::kUnavailable},
    {2006, kDatabase, ErrorCode::kUnavailable}, {2013, kDatabase, ErrorCode::kUnavailable},
    {2026, kDatabase, ErrorCode::kDenied},      {1040, kDatabase, ErrorCode::kUnavailable},
    {1047, kDatabase, ErrorCode::kUnavailable}, {1053, kDatabase, ErrorCode::kUnavailable},
    {1317, kDatabase, ErrorCode::kUnavailable}, {1927, kDatabase, ErrorCode::kUnavailable},
    {3024, kDatabase, ErrorCode::kUnavailable}, {1290, kDatabase, ErrorCode::kDenied},
    {1045, kDatabase, ErrorCode::kDenied},      {1142, kDatabase, ErrorCode::kDenied},
    {1049, kDatabase, ErrorCode::kNotFound},    {1021, kDatabase, ErrorCode::kFull},
    {1114, kDatabase, ErrorCode::kFull},        {1194, kDatabase, ErrorCode::kCorrupt},
    {1146, kDatabase, ErrorCode::kUnavailable}, {1048, kMessage, ErrorCode::kInvalid},
    {1062, kMessage, ErrorCode::kInvalid},      {1452, kMessage, ErrorCode::kInvalid},
    {1644, kMessage, ErrorCode::kInvalid},      {1264, kMessage, ErrorCode::kInvalid},
    {1366, kMessage, ErrorCode::kInvalid},      {1406, kMessage, ErrorCode::kTooLarge},
    {1153, kMessage, ErrorCode::kTooLarge},     {2020, kMessage, ErrorCode::kTooLarge},
};

}  // namespace

TEST_CASE("every error number is the database's trouble, a lost race or the message's fault") {
  for (const Expected& expected : kExpected) {
    CAPTURE(expected.code);
    const MysqlErrorRow& row = mysql_error_row(expected.code, "");
    CHECK(row.code == expected.code);
    CHECK(row.blame == expected.blame);
    CHECK(row.error == expected.error);
  }
}

TEST_CASE("an error number that is not in the table acks nothing") {
  CHECK(mysql_error_row(9999, "").blame == kDatabase);
  CHECK(mysql_error_row(0, "").blame == kDatabase);
}

TEST_CASE("no error number stands in the table twice, and each has a sentence") {
  std::set<unsigned> seen;
  for (const MysqlErrorRow& row : mysql_error_rows()) {
    CAPTURE(row.code);
    CHECK(seen.insert(row.code).second);
    CHECK_FALSE(row.what.empty());
  }
}

TEST_CASE("ids that are used up are the database's trouble, whatever the number says") {
  for (const char* detail : {"Duplicate entry '2147483647' for key 'PRIMARY'",
                             "Duplicate entry '2147483647' for key 'param_values.PRIMARY'"}) {
    CHECK(mysql_error_row(1062, detail).blame == kDatabase);
    CHECK(mysql_error_row(1062, detail).error == ErrorCode::kTooLarge);
  }
  CHECK(mysql_error_row(1062, "Duplicate entry 'web01' for key 'one_host'").blame == kMessage);
}

TEST_CASE("an error names the database, the server's own words and the remedy") {
  const auto error = mysql_error(1114, "puppet@db:3306/puppet", "The table 'x' is full");
  CHECK(error.code == ErrorCode::kFull);
  CHECK(error.text ==
        "the catalog database puppet@db:3306/puppet has no room left (1114: The table 'x' is "
        "full): make room: storing goes on by itself");
}

}  // namespace stompbox::catalog

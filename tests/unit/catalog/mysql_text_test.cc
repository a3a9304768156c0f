#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "storage/catalog/mysql_cursor.h"

namespace stompbox::catalog {
namespace {

using Numbers = std::vector<int>;

}  // namespace

TEST_CASE("numbered placeholders become bare ones, each told by its number") {
  const MysqlText text = mysql_text("INSERT INTO t VALUES (?2, ?1, ?1, ?12)");
  CHECK(text.sql == "INSERT INTO t VALUES (?, ?, ?, ?)");
  CHECK(text.numbers == Numbers{2, 1, 1, 12});
  CHECK(text.number_max == 12);
}

TEST_CASE("what is quoted is no placeholder") {
  for (const char* sql : {"SELECT '?1', `?2`, \"?3\"", "SELECT 'it''s ?1'"}) {
    CAPTURE(sql);
    CHECK(mysql_text(sql).sql == sql);
    CHECK(mysql_text(sql).numbers.empty());
  }
  CHECK(mysql_text("SELECT '?' + ?1").numbers == Numbers{1});
}

TEST_CASE("a text without placeholders stays as it is") {
  CHECK(mysql_text("COMMIT").sql == "COMMIT");
  CHECK(mysql_text("").number_max == 0);
}

}  // namespace stompbox::catalog

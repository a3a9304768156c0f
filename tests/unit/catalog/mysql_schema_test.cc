#include "storage/catalog/mysql_schema.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "storage/catalog/mysql_open.h"
#include "tests/unit/catalog/mysql_support.h"

namespace stompbox::catalog {
namespace {

std::string complaint(TestDatabase& db) {
  const auto opened = make_catalog_store(db.place())->open();
  return opened ? "" : opened.error().text;
}

std::unique_ptr<SqlConnection> connection(const TestDatabase& db) {
  auto opened = open_mysql_connection(db.place().mysql, MysqlUse::kWrite);
  REQUIRE(opened.has_value());
  return std::move(*opened);
}

}  // namespace

TEST_CASE("a stranger's database is refused and left alone") {
  TestDatabase db;
  db.other.run("CREATE TABLE wp_posts (id int PRIMARY KEY, post_title text)");
  const std::string text = complaint(db);
  CHECK(text.find("is not one of Puppet's storeconfigs (table `resources` is missing)") !=
        std::string::npos);
  CHECK(db.other.rows("SHOW TABLES").size() == 1);
  CHECK_FALSE(open_catalog_reader(db.place()).has_value());
}

TEST_CASE("a column that must be given and that Puppet does not know is told") {
  TestDatabase db;
  db.make_tables();
  db.other.run("ALTER TABLE hosts ADD COLUMN owner varchar(255)");
  CHECK(complaint(db) == "");
  db.other.run("ALTER TABLE hosts ADD COLUMN rack int NOT NULL");
  CHECK(complaint(db).find("column `rack`") != std::string::npos);
}

TEST_CASE("a database that does not exist is told with the remedy") {
  TestDatabase db;
  auto place = db.place();
  place.mysql.database = "nowhere";
  const auto opened = make_catalog_store(place)->open();
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == storage::ErrorCode::kNotFound);
  CHECK(opened.error().text.find("CREATE DATABASE") != std::string::npos);
}

TEST_CASE("a schema that was being made when the program ended is completed") {
  TestDatabase db;
  static_cast<void>(db.store());
  db.other.run("INSERT INTO stompbox_locks (name) VALUES ('schema')");
  db.other.run("DROP TABLE param_values; DROP TABLE stompbox_nodes; DROP TABLE hosts");
  CHECK(complaint(db) == "");
  CHECK(db.other.cell("SELECT group_concat(name) FROM stompbox_locks") == "names");
  CHECK(save(*db.store(), catalog_of("a", "/a", "x")).status == SaveStatus::kStored);
}

TEST_CASE("our own tables get what an older program did not have, and are made beside Puppet's") {
  TestDatabase db;
  db.make_tables();
  const std::string columns =
      "SELECT column_name, column_type, is_nullable, collation_name FROM"
      " information_schema.columns WHERE table_schema = DATABASE() AND table_name NOT LIKE"
      " 'stompbox%' ORDER BY table_name, ordinal_position";
  const auto before = db.other.rows(columns);
  db.other.run("CREATE TABLE stompbox_nodes (name varchar(255) NOT NULL PRIMARY KEY)");
  const auto store = db.store();
  CHECK(save(*store, catalog_of("a", "/a", "x")).status == SaveStatus::kStored);
  CHECK(save(*store, catalog_of("a", "/a", "x")).status == SaveStatus::kUnchanged);
  CHECK(db.other.rows(columns) == before);
}

TEST_CASE("a fresh schema compares texts exactly and takes any character") {
  TestDatabase db("CHARACTER SET latin1");
  const auto store = db.store();
  CHECK(db.other.cell("SELECT DISTINCT collation_name FROM information_schema.columns WHERE"
                      " table_schema = DATABASE() AND table_name <> 'stompbox_locks' AND"
                      " collation_name IS NOT NULL") == "utf8mb4_bin");
  CHECK(db.other.cell("SELECT DISTINCT engine FROM information_schema.tables WHERE"
                      " table_schema = DATABASE()") == "InnoDB");
}

TEST_CASE("values are made wide on demand, once, and stay as they were declared otherwise") {
  TestDatabase db("CHARACTER SET latin1");
  db.make_tables();
  const auto own = connection(db);
  const auto statements = mysql_widening(*own);
  REQUIRE(statements.size() == 2);
  for (const std::string& statement : statements)
    own->run(statement);
  CHECK_FALSE(own->failed());
  CHECK(mysql_widening(*own).empty());
  const MysqlColumn column = inspect_mysql(*own).column("param_values", "value");
  CHECK(column.type == "mediumtext");
  CHECK(column.charset == "latin1");
  CHECK(inspect_mysql(*own).found.at("param_values").at("value").must_be_given);
}

TEST_CASE("the character set follows the declaration of the values") {
  for (const std::string charset : {"latin1", "utf8mb3", "utf8mb4", "cp1251"}) {
    CAPTURE(charset);
    TestDatabase db("CHARACTER SET " + charset);
    db.make_tables();
    const auto own = connection(db);
    CHECK(declared_charset(inspect_mysql(*own)) == (charset == "latin1" ? "latin1" : "utf8mb4"));
    CHECK(text_of(*own, "SELECT @@character_set_client") ==
          (charset == "latin1" ? "latin1" : "utf8mb4"));
  }
}

TEST_CASE("two programs that make the schema at once make it once") {
  TestDatabase db;
  const auto first = make_catalog_store(db.place()), second = make_catalog_store(db.place());
  CHECK(first->open().has_value());
  CHECK(second->open().has_value());
  CHECK(db.other.cell("SELECT count(*) FROM stompbox_locks") == "1");
}

}  // namespace stompbox::catalog

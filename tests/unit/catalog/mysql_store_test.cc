// What a MySQL store does when something is in its way.

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "storage/catalog/mysql_connection.h"
#include "storage/catalog/mysql_open.h"
#include "tests/support/sample_catalogs.h"
#include "tests/unit/catalog/mysql_support.h"

namespace stompbox::catalog {
namespace {

using Texts = std::vector<std::string>;

Texts titles(TestDatabase& db) {
  Texts found;
  for (const auto& row : db.other.rows("SELECT title FROM resources ORDER BY title"))
    found.push_back(row[0].value());
  return found;
}

// The connections of stores to this database, by the server's count.
Texts connections(TestDatabase& db) {
  Texts ids;
  for (const auto& row :
       db.other.rows("SELECT id FROM information_schema.processlist WHERE db = '" + db.name() +
                     "' AND id <> " + std::to_string(db.other.id()))) {
    ids.push_back(row[0].value());
  }
  return ids;
}

std::vector<Catalog> site(std::size_t nodes, std::uint32_t generation) {
  support::SampleShape shape;
  shape.resource_count = 20;
  shape.changed_percent = 10;
  shape.generation = generation;
  std::vector<Catalog> catalogs;
  for (std::size_t i = 0; i < nodes; ++i)
    catalogs.push_back(support::sample_catalog(i, shape));
  return catalogs;
}

int status_of(support::MariadbClient& client, const std::string& name) {
  return std::stoi(client.rows("SHOW GLOBAL STATUS LIKE '" + name + "'").at(0).at(1).value());
}

// Names without twins, rows without a gap.
void check_rows(TestDatabase& db) {
  for (const char* table : {"param_names.name", "puppet_tags.name", "fact_names.name", "hosts.name",
                            "source_files.filename"}) {
    const std::string text(table), of = text.substr(0, text.find('.'));
    CAPTURE(text);
    CHECK(db.other.cell("SELECT count(*) FROM (SELECT 1 FROM " + of + " GROUP BY " + text +
                        " HAVING count(*) > 1) twins") == "0");
  }
  CHECK(db.other.cell("SELECT count(*) FROM param_values v LEFT JOIN resources r"
                      " ON r.id = v.resource_id LEFT JOIN param_names n ON n.id = v.param_name_id"
                      " WHERE r.id IS NULL OR n.id IS NULL") == "0");
  CHECK(db.other.cell("SELECT count(*) FROM resource_tags v LEFT JOIN resources r"
                      " ON r.id = v.resource_id LEFT JOIN puppet_tags n ON n.id = v.puppet_tag_id"
                      " WHERE r.id IS NULL OR n.id IS NULL") == "0");
}

}  // namespace

TEST_CASE("a connection that was ended is made anew by the next call, and nothing is half") {
  TestDatabase db;
  const auto store = db.store();
  REQUIRE(save(*store, catalog_of("a", "/first", "x")).status == SaveStatus::kStored);
  for (const std::string& id : connections(db))
    db.other.run("KILL " + id);
  const auto lost = save(*store, catalog_of("a", "/second", "x"));
  CHECK(lost.status == SaveStatus::kTransient);
  CHECK(lost.error.code == storage::ErrorCode::kUnavailable);
  CHECK(titles(db) == Texts{"/first"});
  CHECK(save(*store, catalog_of("a", "/second", "x")).status == SaveStatus::kStored);
  CHECK(titles(db) == Texts{"/second"});
}

TEST_CASE("while the server is away saves are transient; they go on when it is back") {
  TestDatabase db;
  const auto store = db.store();
  REQUIRE(save(*store, catalog_of("a", "/first", "x")).status == SaveStatus::kStored);
  SUBCASE("stopped") {
    test_server().stop();
  }
  SUBCASE("killed: what was stored is still there") {
    test_server().kill();
  }
  CHECK(save(*store, catalog_of("a", "/second", "x")).status == SaveStatus::kTransient);
  const auto away = save(*store, catalog_of("a", "/second", "x"));
  CHECK(away.status == SaveStatus::kTransient);
  CHECK(away.error.text.find("cannot be reached") != std::string::npos);
  test_server().start();
  CHECK(save(*store, catalog_of("b", "/third", "x")).status == SaveStatus::kStored);
  support::MariadbClient later(test_server(), db.name());
  CHECK(later.rows("SELECT title FROM resources").size() == 2);
}

TEST_CASE("rule 16: a transaction that is chosen to end a deadlock is made again as a whole") {
  TestDatabase db;
  auto place = db.place();
  place.mysql.lock_timeout = std::chrono::minutes(1);  // on a busy machine too nothing else ends it
  place.mysql.transaction_max = std::chrono::minutes(1);
  const auto store = make_catalog_store(place);
  const std::vector<Catalog> both = {catalog_of("a", "/a", "1"), catalog_of("b", "/b", "1")};
  for (const auto& outcome : save(*store, both))
    REQUIRE(outcome.status == SaveStatus::kStored);
  // The other side changes many rows first: the server ends the transaction that changed fewer.
  db.other.run("CREATE TABLE ballast (id int PRIMARY KEY) ENGINE=InnoDB");
  db.other.run("START TRANSACTION");
  db.other.run("INSERT INTO ballast SELECT seq FROM seq_1_to_5000");
  db.other.run("UPDATE stompbox_nodes SET updated_at = updated_at WHERE name = 'b'");
  std::vector<Catalog> changed = {catalog_of("a", "/a", "2"), catalog_of("b", "/b", "2")};
  std::vector<SaveOutcome> outcomes;
  std::thread saver([&] { outcomes = save(*store, changed); });
  // Ours has a and waits for b; now b's owner wants a.
  support::MariadbClient watch(test_server(), db.name());
  const int deadlocks = status_of(watch, "Innodb_deadlocks");
  while (status_of(watch, "Innodb_row_lock_current_waits") == 0)
    std::this_thread::yield();
  db.other.run("UPDATE stompbox_nodes SET updated_at = updated_at WHERE name = 'a'");
  db.other.run("COMMIT");
  saver.join();
  for (const auto& outcome : outcomes) {
    CHECK(outcome.error.text == "");
    CHECK(outcome.status == SaveStatus::kStored);
  }
  CHECK(db.other.cell("SELECT count(*) FROM param_values WHERE value = '2'") == "2");
  CHECK(status_of(watch, "Innodb_deadlocks") == deadlocks + 1);
}

TEST_CASE("who waits too long for a lock is left out; the others are stored") {
  TestDatabase db;
  auto place = db.place();
  place.mysql.lock_timeout = std::chrono::seconds(1);
  place.mysql.attempts_max = 2;
  const auto store = make_catalog_store(place);
  REQUIRE(save(*store, catalog_of("b", "/b", "1")).status == SaveStatus::kStored);
  db.other.run("START TRANSACTION");
  db.other.run("UPDATE stompbox_nodes SET updated_at = updated_at WHERE name = 'b'");
  const auto outcomes = save(
      *store, {catalog_of("c", "/c", "1"), catalog_of("b", "/b", "2"), catalog_of("a", "/a", "1")});
  db.other.run("ROLLBACK");
  CHECK(outcomes[0].status == SaveStatus::kStored);
  CHECK(outcomes[1].status == SaveStatus::kTransient);
  CHECK(outcomes[1].error.code == storage::ErrorCode::kBusy);
  CHECK(outcomes[2].status == SaveStatus::kStored);
  CHECK(save(*store, catalog_of("b", "/b", "2")).status == SaveStatus::kStored);
}

TEST_CASE("several stores write the same names and nodes at once: nothing twice, nothing half") {
  constexpr std::size_t kNodes = 24, kStores = 4;
  TestDatabase db;
  static_cast<void>(db.store());
  std::atomic<std::size_t> failures = 0;
  std::vector<std::thread> writers;
  for (std::uint32_t writer = 0; writer < kStores; ++writer) {
    writers.emplace_back([&, writer] {
      const auto store = make_catalog_store(db.place());
      for (std::uint32_t round = 0; round < 3; ++round) {
        const auto catalogs = site(kNodes, writer * 3 + round);
        std::vector<CatalogSave> saves;
        for (const Catalog& catalog : catalogs)
          saves.push_back({&catalog, {}});
        for (const auto& outcome : store->save(saves))
          failures += outcome.error.text.empty() ? 0 : 1;
      }
    });
  }
  for (std::thread& writer : writers)
    writer.join();
  CHECK(failures == 0);
  CHECK(db.other.cell("SELECT count(*) FROM hosts") == std::to_string(kNodes));
  check_rows(db);
  // Each node has exactly one of the catalogs that were saved: saving it again changes nothing.
  const auto store = db.store();
  const auto last = site(kNodes, 99);
  for (const auto& outcome : save(*store, last))
    CHECK(outcome.error.text == "");
  for (const auto& outcome : save(*store, last))
    CHECK(outcome.status == SaveStatus::kUnchanged);
  CHECK(db.other.cell("SELECT count(*) FROM resources") == std::to_string(20 * kNodes));
}

TEST_CASE("names that a master makes at the same moment are tolerated: the oldest row stands") {
  TestDatabase db;
  const auto store = db.store();
  REQUIRE(save(*store, catalog_of("a", "/a", "x")).status == SaveStatus::kStored);
  db.other.run("INSERT INTO param_names (name) VALUES ('content'), ('mode')");
  auto catalog = catalog_of("a", "/a", "x");
  catalog.resources[0].parameters.push_back({"mode", {"0644"}});
  CHECK(save(*store, catalog).status == SaveStatus::kStored);
  CHECK(db.other.cell("SELECT count(DISTINCT param_name_id) FROM param_values") == "2");
  CHECK(db.other.cell("SELECT count(*) FROM param_names WHERE name = 'mode'") == "1");
}

TEST_CASE("hosts whose names differ in case only are two, whatever the collation says") {
  TestDatabase db("CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci");
  db.make_tables();
  const auto store = db.store();
  CHECK(save(*store, catalog_of("web01", "/a", "x")).status == SaveStatus::kStored);
  CHECK(save(*store, catalog_of("WEB01", "/b", "x")).status == SaveStatus::kStored);
  CHECK(save(*store, catalog_of("web01", "/a", "x")).status == SaveStatus::kUnchanged);
  CHECK(db.other.rows("SELECT name FROM hosts").size() == 2);
  CHECK(titles(db) == Texts{"/a", "/b"});
}

TEST_CASE("a value of many megabytes is stored whole once the column is wide enough") {
  TestDatabase db;
  const auto store = db.store();
  const auto large = catalog_of("a", "/a", std::string(3'000'000, 'x') + "end");
  const auto refused = save(*store, large);
  CHECK(refused.status == SaveStatus::kPermanent);
  CHECK(refused.error.code == storage::ErrorCode::kTooLarge);
  CHECK(refused.error.text.find("File[/a]") != std::string::npos);
  db.other.run("ALTER TABLE param_values MODIFY value mediumtext NOT NULL");
  const auto again = db.store();
  CHECK(save(*again, large).status == SaveStatus::kStored);
  CHECK(db.other.cell("SELECT length(value) FROM param_values") == "3000003");
  CHECK(save(*again, large).status == SaveStatus::kUnchanged);
}

TEST_CASE("rule 17: what an outline stands for is measured when it is read") {
  TestDatabase db;
  const auto store = db.store();
  Catalog outline;
  outline.node = "a";
  CatalogSave asked{&outline, {}};
  asked.read_whole = [] { return catalog_of("a", "/a", std::string(70'000, 'x')); };
  const auto refused = store->save(std::array{asked}).at(0);
  CHECK(refused.status == SaveStatus::kPermanent);
  CHECK(refused.error.text.find("has 70000 bytes") != std::string::npos);
  asked.read_whole = [] { return catalog_of("a", "/a", "x"); };
  CHECK(store->save(std::array{asked}).at(0).status == SaveStatus::kStored);
  CHECK(titles(db) == Texts{"/a"});
}

TEST_CASE("values that together exceed one packet are sent all the same") {
  TestDatabase db;
  const auto store = db.store();
  auto catalog = catalog_of("a", "/a", "x");
  for (int i = 0; i < 400; ++i)
    catalog.resources[0].parameters[0].values.push_back(std::to_string(i) +
                                                        std::string(60'000, 'y'));
  CHECK(save(*store, catalog).error.text == "");
  CHECK(db.other.cell("SELECT count(*) FROM param_values") == "401");
  CHECK(save(*store, catalog).status == SaveStatus::kUnchanged);
}

TEST_CASE("a poisonous catalog among many good ones spoils none of them") {
  TestDatabase db;
  const auto store = db.store();
  db.other.run("ALTER TABLE resources ADD CONSTRAINT no_poison CHECK (title <> '/poison')");
  auto catalogs = site(40, 0);
  catalogs.insert(catalogs.begin() + 20, catalog_of("poison", "/poison", "x"));
  const auto outcomes = save(*store, catalogs);
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    CHECK((outcomes[i].status == SaveStatus::kPermanent) == (i == 20));
  CHECK(db.other.cell("SELECT count(*) FROM hosts") == "40");
  CHECK(db.other.cell("SELECT count(*) FROM stompbox_nodes") == "40");
  check_rows(db);
}

TEST_CASE("a name that does not come back as it was written ends as a clear refusal of its own") {
  TestDatabase db;
  const auto store = db.store();
  db.other.run(
      "CREATE TRIGGER lower_names BEFORE INSERT ON param_names FOR EACH ROW"
      " SET NEW.name = lower(NEW.name)");
  auto catalogs = site(3, 0);
  Catalog changed = catalog_of("changed", "/changed", "x");
  changed.resources[0].parameters.push_back({"camelCase", {"x"}});
  catalogs.insert(catalogs.begin() + 1, changed);
  const auto outcomes = save(*store, catalogs);
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    CHECK((outcomes[i].status == SaveStatus::kPermanent) == (i == 1));
  CHECK(outcomes[1].error.text.find("`camelCase` of a parameter of changed") != std::string::npos);
  CHECK(db.other.cell("SELECT count(*) FROM hosts") == "3");
  // It was tried a few times, not for ever.
  CHECK(std::stoi(db.other.cell("SELECT count(*) FROM param_names WHERE name = 'camelcase'")) < 5);
}

TEST_CASE("a name that the tables refuse spoils no other catalog that has new names, too") {
  TestDatabase db("CHARACTER SET latin1");
  db.make_tables();
  auto place = db.place();
  place.mysql.charset = "utf8";
  const auto store = make_catalog_store(place);
  auto catalogs = site(4, 0);
  Catalog refused = catalog_of("greek", "/a", "x");
  refused.resources[0].parameters.push_back({"\xCE\xB1", {"x"}});
  catalogs.insert(catalogs.begin() + 2, refused);
  const auto outcomes = save(*store, catalogs);
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    CHECK((outcomes[i].status == SaveStatus::kPermanent) == (i == 2));
  CHECK(db.other.cell("SELECT count(*) FROM hosts") == "4");
  CHECK(save(*store, refused).status == SaveStatus::kPermanent);
}

TEST_CASE("a database that may only be read is the database's trouble") {
  TestDatabase db;
  const auto store = db.store();
  db.other.run("CREATE USER reader; GRANT SELECT ON " + db.name() + ".* TO reader");
  auto place = db.place();
  place.mysql.user = "reader";
  const auto outcome = save(*make_catalog_store(place), catalog_of("a", "/a", "x"));
  db.other.run("DROP USER reader");
  CHECK(outcome.status == SaveStatus::kTransient);
  CHECK(outcome.error.code == storage::ErrorCode::kDenied);
  CHECK(outcome.error.text.find("GRANT") != std::string::npos);
}

TEST_CASE("texts of a result are whole, however long, and NULL is told from nothing") {
  TestDatabase db;
  static_cast<void>(db.store());
  auto opened = open_mysql_connection(db.place().mysql, MysqlUse::kRead);
  REQUIRE(opened.has_value());
  SqlStatement select(**opened,
                      "SELECT repeat('x', ?1), '', NULL, 42, sum(7), CAST('2011-12-13 14:15:16' AS"
                      " datetime) FROM hosts");
  for (const std::int64_t length : {0, 1, 255, 256, 257, 100'000, 3}) {
    CAPTURE(length);
    select.bind(1, length);
    REQUIRE(select.step());
    CHECK(select.text(0) == std::string(static_cast<std::size_t>(length), 'x'));
    CHECK(select.text(1) == "");
    CHECK_FALSE(select.is_null(1));
    CHECK(select.is_null(2));
    CHECK(select.integer(3) == 42);
    CHECK(select.text(3) == "42");
    CHECK(select.is_null(4));
    CHECK(select.text(5) == "2011-12-13 14:15:16");
    CHECK_FALSE(select.step());
  }
}

TEST_CASE("a statement whose result a lock ended in its middle can be run again") {
  TestDatabase db;
  const auto store = db.store();
  for (const char* node : {"a", "b", "c"})
    REQUIRE(save(*store, catalog_of(node, "/x", "x")).status == SaveStatus::kStored);
  auto options = db.place().mysql;
  options.lock_timeout = std::chrono::seconds(1);
  options.io_timeout = std::chrono::seconds(5);
  auto opened = open_mysql_connection(options, MysqlUse::kRead);
  REQUIRE(opened.has_value());
  SqlConnection& connection = **opened;
  SqlStatement select(connection, "SELECT id FROM hosts WHERE id > ?1 ORDER BY id FOR UPDATE");
  db.other.run("START TRANSACTION");
  db.other.run("UPDATE hosts SET ip = 'x' WHERE name = 'b'");
  CHECK_FALSE(select.bind(1, std::int64_t{0}).step());
  REQUIRE(connection.failed());
  CHECK(connection.error().code == storage::ErrorCode::kBusy);
  connection.clear_failure();
  connection.run("ROLLBACK");
  db.other.run("ROLLBACK");
  int rows = 0;
  select.bind(1, std::int64_t{0});
  while (select.step())
    ++rows;
  REQUIRE_FALSE(connection.failed());
  CHECK(rows == 3);
}

TEST_CASE("the description names server, database and character set, and warns") {
  TestDatabase db;
  const auto store = make_catalog_store(db.place());
  CHECK(store->description() ==
        "MySQL root@" + test_server().socket() + "/" + db.name() + " (not open)");
  REQUIRE(store->open().has_value());
  CHECK(store->description().find("(schema made now, server 10.") != std::string::npos);
  CHECK(store->description().find("character set utf8mb4") != std::string::npos);
  CHECK(store->description().find("warning") == std::string::npos);
  db.other.run("SET GLOBAL innodb_flush_log_at_trx_commit = 2");
  db.other.run("ALTER TABLE hosts ENGINE=MyISAM");
  REQUIRE(store->open().has_value());
  db.other.run("SET GLOBAL innodb_flush_log_at_trx_commit = 1");
  CHECK(store->description().find("schema as found") != std::string::npos);
  CHECK(store->description().find("innodb_flush_log_at_trx_commit is not 1") != std::string::npos);
  CHECK(store->description().find("`hosts` is of the engine MyISAM") != std::string::npos);
}

}  // namespace stompbox::catalog

// What the SQLite store does when the database fails under it.

#include <sqlite3.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "storage/catalog/resource_query.h"
#include "storage/catalog/sqlite_open.h"
#include "tests/support/full_disk_vfs.h"
#include "tests/support/sample_catalogs.h"
#include "tests/support/test_folder.h"

namespace stompbox::catalog {
namespace {

using storage::ErrorCode;
using support::TestFolder;

SqliteOptions options_for(const std::string& path) {
  SqliteOptions options;
  options.path = path;
  options.busy_timeout = std::chrono::milliseconds(50);
  return options;
}

std::vector<SaveOutcome> save_nodes(CatalogStore& store, std::size_t first, std::size_t count) {
  std::vector<Catalog> catalogs;
  for (std::size_t i = first; i < first + count; ++i) {
    catalogs.push_back(support::sample_catalog(i, {}));
  }
  std::vector<CatalogSave> saves;
  for (const Catalog& catalog : catalogs)
    saves.push_back({&catalog, {}});
  return store.save(saves);
}

SaveOutcome save_node(CatalogStore& store, std::size_t node) {
  return save_nodes(store, node, 1).at(0);
}

std::size_t node_count(const std::string& path) {
  auto reader = open_sqlite_reader(path);
  REQUIRE(reader.has_value());
  const auto nodes = (*reader)->nodes();
  REQUIRE(nodes.has_value());
  for (const NodeRow& node : *nodes)
    CHECK(node.resource_count == 200);
  return nodes->size();
}

// The rows of a query, each as the text of its column `column`, read by somebody else.
std::vector<std::string> texts_of(const std::string& path, const std::string& query, int column) {
  sqlite3* raw = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &raw) == SQLITE_OK);
  sqlite3_stmt* rows = nullptr;
  REQUIRE(sqlite3_prepare_v2(raw, query.c_str(), -1, &rows, nullptr) == SQLITE_OK);
  std::vector<std::string> texts;
  while (sqlite3_step(rows) == SQLITE_ROW) {
    texts.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(rows, column)));
  }
  sqlite3_finalize(rows);
  sqlite3_close(raw);
  return texts;
}

int number_of(const std::string& path, const std::string& query) {
  return std::stoi(texts_of(path, query, 0).at(0));
}

std::vector<std::string> plan_of(const std::string& path, const std::string& query) {
  return texts_of(path, "EXPLAIN QUERY PLAN " + query, 3);
}

class Locker {
 public:
  explicit Locker(const std::string& path) {
    REQUIRE(sqlite3_open(path.c_str(), &raw_) == SQLITE_OK);
    REQUIRE(sqlite3_exec(raw_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  ~Locker() { sqlite3_close(raw_); }
  Locker(const Locker&) = delete;
  Locker& operator=(const Locker&) = delete;

 private:
  sqlite3* raw_ = nullptr;
};

}  // namespace

TEST_CASE("a locked database is transient, and the next call works") {
  const TestFolder folder;
  const auto options = options_for(folder.file("db"));
  const auto store = make_sqlite_store(options);
  REQUIRE(save_node(*store, 1).status == SaveStatus::kStored);
  {
    const Locker locker(options.path);
    const auto outcomes = save_nodes(*store, 2, 3);
    REQUIRE(outcomes.size() == 3);
    for (const SaveOutcome& outcome : outcomes) {
      CHECK(outcome.status == SaveStatus::kTransient);
      CHECK(outcome.error.code == ErrorCode::kBusy);
    }
  }
  CHECK(save_node(*store, 2).status == SaveStatus::kStored);
  CHECK(node_count(options.path) == 2);
}

TEST_CASE("a full disk is transient and kFull; nothing is half stored, and it goes on by itself") {
  const TestFolder folder;
  support::FullDiskVfs disk;
  const auto options = options_for(folder.file("db"));
  const auto store = make_sqlite_store(options);
  REQUIRE(save_node(*store, 1).status == SaveStatus::kStored);
  disk.fill();
  for (int i = 0; i < 2; ++i) {
    for (const SaveOutcome& outcome : save_nodes(*store, 2, 3)) {
      CHECK(outcome.status == SaveStatus::kTransient);
      CHECK(outcome.error.code == ErrorCode::kFull);
      CHECK(outcome.error.text.find("no room left") != std::string::npos);
    }
  }
  CHECK(node_count(options.path) == 1);
  disk.make_room();
  for (const SaveOutcome& outcome : save_nodes(*store, 2, 3)) {
    CHECK(outcome.status == SaveStatus::kStored);
  }
  CHECK(node_count(options.path) == 4);
}

TEST_CASE("a full disk at the first start is told, and the schema is made when there is room") {
  const TestFolder folder;
  support::FullDiskVfs disk;
  disk.fill();
  const auto store = make_sqlite_store(options_for(folder.file("db")));
  const auto opened = store->open();
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == ErrorCode::kFull);
  disk.make_room();
  CHECK(save_node(*store, 1).status == SaveStatus::kStored);
}

TEST_CASE("a database that was deleted underneath is made anew") {
  const TestFolder folder;
  const auto options = options_for(folder.file("db"));
  const auto store = make_sqlite_store(options);
  REQUIRE(save_node(*store, 1).status == SaveStatus::kStored);
  for (const char* end : {"", "-wal", "-shm"})
    std::filesystem::remove(options.path + end);
  CHECK(save_node(*store, 2).status == SaveStatus::kStored);
  CHECK(node_count(options.path) == 1);
}

TEST_CASE("a database that was replaced underneath is the one that is written") {
  const TestFolder folder;
  const auto options = options_for(folder.file("db"));
  const auto other = options_for(folder.file("other"));
  const auto store = make_sqlite_store(options);
  REQUIRE(save_node(*store, 1).status == SaveStatus::kStored);
  {
    const auto second = make_sqlite_store(other);
    save_nodes(*second, 10, 2);
  }
  for (const char* end : {"-wal", "-shm"})
    std::filesystem::remove(options.path + end);
  std::filesystem::rename(other.path, options.path);
  CHECK(save_node(*store, 1).status == SaveStatus::kStored);
  CHECK(node_count(options.path) == 3);
}

TEST_CASE("a table that vanishes under the store is transient, for the message is not to blame") {
  const TestFolder folder;
  const auto options = options_for(folder.file("db"));
  const auto store = make_sqlite_store(options);
  REQUIRE(save_node(*store, 1).status == SaveStatus::kStored);
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(options.path.c_str(), &other) == SQLITE_OK);
  REQUIRE(sqlite3_exec(other, "ALTER TABLE param_values RENAME TO away", nullptr, nullptr,
                       nullptr) == SQLITE_OK);
  CHECK(save_node(*store, 2).status == SaveStatus::kTransient);
  CHECK(save_node(*store, 2).error.code == ErrorCode::kInvalid);  // as open() says
  REQUIRE(sqlite3_exec(other, "ALTER TABLE away RENAME TO param_values", nullptr, nullptr,
                       nullptr) == SQLITE_OK);
  sqlite3_close(other);
  CHECK(save_node(*store, 2).status == SaveStatus::kStored);
}

TEST_CASE("rows of resources, values and tags have no times in a database that we have made") {
  const TestFolder folder;
  const auto options = options_for(folder.file("catalogs.sqlite3"));
  for (std::size_t node = 0; node < 2; ++node) {  // the second time it is found, not made
    const auto store = make_sqlite_store(options);
    REQUIRE(store->open().has_value());
    CHECK(save_node(*store, node).status == SaveStatus::kStored);
    CHECK(save_node(*store, node).status == SaveStatus::kUnchanged);
  }
  for (const char* table : {"resources", "param_values", "resource_tags"}) {
    const std::string count = "SELECT count(*) FROM " + std::string(table);
    CHECK(number_of(options.path, count) > 0);
    CHECK(number_of(options.path,
                    count + " WHERE updated_at IS NOT NULL OR created_at IS NOT NULL") == 0);
  }
  for (const char* table : {"hosts", "param_names", "puppet_tags", "source_files"}) {
    CHECK(number_of(options.path, "SELECT count(*) FROM " + std::string(table) +
                                      " WHERE updated_at IS NULL OR created_at IS NULL") == 0);
  }
}

TEST_CASE("no query of a master reads a whole table of a database that we have made") {
  const TestFolder folder;
  const auto options = options_for(folder.file("catalogs.sqlite3"));
  REQUIRE(make_sqlite_store(options)->open().has_value());
  const std::string collected = " WHERE ((exported='t' AND restype='Nagios_host')";
  // Facts 5.1 and 4.6; the tables of names are small.
  for (const std::string& query : {
           "SELECT resources.* FROM resources" + collected + " AND (host_id != 7))",
           "SELECT resources.* FROM resources" + collected + " AND title = 't')",
           "SELECT resources.* FROM resources INNER JOIN resource_tags ON"
           " resource_tags.resource_id = resources.id INNER JOIN puppet_tags ON"
           " puppet_tags.id = resource_tags.puppet_tag_id" +
               collected + " AND puppet_tags.name = 'lb' AND (host_id != 7))",
           "SELECT resources.* FROM resources INNER JOIN param_values ON"
           " param_values.resource_id = resources.id INNER JOIN param_names ON"
           " param_names.id = param_values.param_name_id" +
               collected + " AND param_names.name = 'p' AND param_values.value = 'v')",
           std::string("SELECT param_names.* FROM param_names INNER JOIN param_values ON"
                       " param_names.id = param_values.param_name_id"
                       " WHERE param_values.resource_id = 7"),
           std::string("SELECT * FROM param_values WHERE resource_id = 7 AND (param_name_id = 3)"),
           std::string("SELECT * FROM resources WHERE host_id = 7"),
           std::string("SELECT * FROM resource_tags WHERE resource_id = 7"),
       }) {
    CAPTURE(query);
    for (const std::string& step : plan_of(options.path, query)) {
      CAPTURE(step);
      const bool of_names = step.find("puppet_tags") != std::string::npos ||
                            step.find("param_names") != std::string::npos;
      CHECK((of_names || step.find("SCAN") == std::string::npos));
    }
  }
}

TEST_CASE("a query by type, exported and tag finds its resources by indices alone") {
  const TestFolder folder;
  const auto options = options_for(folder.file("catalogs.sqlite3"));
  REQUIRE(make_sqlite_store(options)->open().has_value());
  ResourceQuery query;
  query.type = "Nagios_host";
  query.exported = true;
  query.tag = "lb";
  SqlDialect dialect;
  dialect.yes = "t";
  bool candidates = false, tags = false, names = false;
  for (const std::string& step : plan_of(options.path, select_of(query, dialect).sql)) {
    CAPTURE(step);
    CHECK(step.find("SCAN") == std::string::npos);
    const bool covered = step.find("COVERING INDEX") != std::string::npos;
    candidates = candidates || (covered && step.find("SEARCH m ") != std::string::npos);
    tags = tags || (covered && step.find("SEARCH rt ") != std::string::npos);
    names = names || (covered && step.find("SEARCH puppet_tags ") != std::string::npos);
  }
  CHECK((candidates && tags && names));
}

TEST_CASE("a trigger that gives up the whole transaction makes the saves before it transient") {
  const TestFolder folder;
  const auto options = options_for(folder.file("db"));
  const auto store = make_sqlite_store(options);
  REQUIRE(save_node(*store, 1).status == SaveStatus::kStored);
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(options.path.c_str(), &other) == SQLITE_OK);
  REQUIRE(sqlite3_exec(other,
                       "CREATE TRIGGER stop BEFORE INSERT ON hosts WHEN NEW.name ="
                       " 'node0003.site.example' BEGIN SELECT RAISE(ROLLBACK, 'stop'); END",
                       nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(other);
  const auto outcomes = save_nodes(*store, 2, 2);
  REQUIRE(outcomes.size() == 2);
  CHECK(outcomes[1].status == SaveStatus::kPermanent);
  if (outcomes[0].status == SaveStatus::kTransient) {  // both were in one transaction
    CHECK(save_node(*store, 2).status == SaveStatus::kStored);
  }
  CHECK(node_count(options.path) == 2);
}

TEST_CASE("catalogs are stored whole while another connection writes between plan and lock") {
  const TestFolder folder;
  auto options = options_for(folder.file("db"));
  options.busy_timeout = std::chrono::seconds(10);
  const auto store = make_sqlite_store(options);
  REQUIRE(store->open().has_value());
  std::atomic<bool> stop = false;
  std::atomic<int> written = 0;
  std::thread master([&] {
    sqlite3* other = nullptr;
    sqlite3_open(options.path.c_str(), &other);
    while (!stop) {
      if (sqlite3_exec(other, "INSERT INTO puppet_tags (name) VALUES ('theirs')", nullptr, nullptr,
                       nullptr) == SQLITE_OK) {
        ++written;
      }
    }
    sqlite3_close(other);
  });
  std::size_t stored = 0;
  for (std::size_t round = 0; round < 4 || written == 0; ++round) {
    for (const SaveOutcome& outcome : save_nodes(*store, 0, 12)) {
      stored += outcome.status == SaveStatus::kStored ? 1u : 0u;
      CHECK(outcome.error.text == "");
    }
  }
  stop = true;
  master.join();
  CHECK(stored == 12);
  CHECK(node_count(options.path) == 12);
}

}  // namespace stompbox::catalog

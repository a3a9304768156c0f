// Opening a SQLite catalog database: made, found, refused.

#include "storage/catalog/sqlite_open.h"

#include <grp.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

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

class OtherConnection {
 public:
  explicit OtherConnection(const std::string& path) {
    REQUIRE(sqlite3_open(path.c_str(), &raw_) == SQLITE_OK);
  }
  ~OtherConnection() { sqlite3_close(raw_); }
  OtherConnection(const OtherConnection&) = delete;
  OtherConnection& operator=(const OtherConnection&) = delete;

  void run(const std::string& sql) {
    REQUIRE_MESSAGE(sqlite3_exec(raw_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK,
                    sqlite3_errmsg(raw_));
  }
  std::string cell(const std::string& sql) {
    std::string found;
    sqlite3_stmt* statement = nullptr;
    REQUIRE(sqlite3_prepare_v2(raw_, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW) {
      found = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    }
    sqlite3_finalize(statement);
    return found;
  }

 private:
  sqlite3* raw_ = nullptr;
};

std::string schema_of(const std::string& version) {
  std::ifstream file(STOMPBOX_TEST_DATA "/captures/schema-" + version + ".sqlite.sql");
  REQUIRE(file.good());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

mode_t mode_of(const std::string& path) {
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 07777;
}

SaveStatus save_one(CatalogStore& store) {
  Catalog catalog;
  catalog.node = "a";
  catalog.resources.push_back({"File", "/a", false, 1, "/site.pp", {{"mode", {"0644"}}}, {"t"}});
  const std::array saves = {CatalogSave{&catalog, {}}};
  return store.save(saves).at(0).status;
}

// As root every file may be used: such a test acts as nobody meanwhile.
class Unprivileged {
 public:
  Unprivileged() { change(kNobody); }
  ~Unprivileged() { change(0); }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;

 private:
  static constexpr uid_t kNobody = 65534;
  void change(uid_t user) {
    if (::getuid() == 0) REQUIRE(::seteuid(user) == 0);
  }
};

}  // namespace

TEST_CASE("a missing database is made with Puppet's schema, WAL and the mode that was asked for") {
  const TestFolder folder;
  auto options = options_for(folder.file("db"));
  options.mode = 0660;
  const auto store = make_sqlite_store(options);
  REQUIRE(store->open().has_value());
  REQUIRE(save_one(*store) == SaveStatus::kStored);
  CHECK(mode_of(options.path) == 0660);
  CHECK(mode_of(options.path + "-wal") == 0660);
  CHECK(mode_of(options.path + "-shm") == 0660);
  OtherConnection other(options.path);
  CHECK(other.cell("PRAGMA journal_mode") == "wal");
  CHECK(other.cell("SELECT count(*) FROM sqlite_master WHERE type = 'table'"
                   " AND name NOT LIKE 'sqlite%'") == "12");
  CHECK(store->description().find("schema made now, journal mode wal") != std::string::npos);
}

TEST_CASE("owner and group are set before anything is written") {
  const TestFolder folder;
  auto options = options_for(folder.file("db"));
  const group* const mine = ::getgrgid(::getegid());
  REQUIRE(mine != nullptr);
  options.group = mine->gr_name;
  REQUIRE(make_sqlite_store(options)->open().has_value());
  if (::getuid() == 0) {
    options.path = folder.file("given");
    options.owner = "nobody";
    options.group = "nogroup";
    const auto store = make_sqlite_store(options);
    REQUIRE(store->open().has_value());
    for (const char* end : {"", "-wal", "-shm"}) {
      struct stat found {};
      REQUIRE(::stat((options.path + end).c_str(), &found) == 0);
      CHECK(found.st_uid == 65534);
      CHECK(found.st_gid == 65534);
    }
  }
}

TEST_CASE("an unknown owner or group is refused, and no file is left") {
  const TestFolder folder;
  auto options = options_for(folder.file("db"));
  SUBCASE("owner") {
    options.owner = "no-such-user";
  }
  SUBCASE("group") {
    options.group = "no-such-group";
  }
  const auto opened = make_sqlite_store(options)->open();
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == ErrorCode::kInvalid);
  CHECK(::access(options.path.c_str(), F_OK) != 0);
}

TEST_CASE("every historic schema is taken as it is, and keeps its journal mode") {
  const std::string additions[] = {
      "",
      // after dbmigrate
      "CREATE TABLE schema_migrations (version varchar(255) NOT NULL, created_at datetime);"
      "CREATE UNIQUE INDEX unique_schema_migrations ON schema_migrations (version);",
      // as early Foreman did
      "ALTER TABLE hosts ADD COLUMN uuid text;"};
  for (const std::string version : {"0.25.5", "2.6.18", "3.8.7"}) {
    for (const std::string& addition : additions) {
      const TestFolder folder;
      const std::string path = folder.file("db");
      OtherConnection other(path);
      other.run(schema_of(version) + addition);
      const std::string tables =
          "SELECT group_concat(sql, ';') FROM sqlite_master WHERE tbl_name <> 'stompbox_nodes'";
      const std::string before = other.cell(tables);
      const auto store = make_sqlite_store(options_for(path));
      REQUIRE(store->open().has_value());
      CHECK(save_one(*store) == SaveStatus::kStored);
      CHECK(other.cell(tables) == before);
      CHECK(other.cell("PRAGMA journal_mode") == "delete");
      CHECK(store->description().find("as found, journal mode delete") != std::string::npos);
    }
  }
}

TEST_CASE("an empty file is filled with the schema") {
  const TestFolder folder;
  const std::string path = folder.file("db");
  std::ofstream(path).close();
  const auto store = make_sqlite_store(options_for(path));
  REQUIRE(store->open().has_value());
  CHECK(save_one(*store) == SaveStatus::kStored);
}

TEST_CASE("our own table gains the columns that an older program did not have") {
  const TestFolder folder;
  const std::string path = folder.file("db");
  OtherConnection other(path);
  other.run(schema_of("3.8.7"));
  other.run("CREATE TABLE stompbox_nodes (name varchar(255) PRIMARY KEY NOT NULL, digest text)");
  other.run("INSERT INTO stompbox_nodes VALUES ('old', 'x')");
  const auto store = make_sqlite_store(options_for(path));
  REQUIRE(store->open().has_value());
  CHECK(save_one(*store) == SaveStatus::kStored);
  CHECK(other.cell("SELECT count(*) FROM stompbox_nodes") == "2");
}

TEST_CASE("a stranger's database is refused and left as it is") {
  const TestFolder folder;
  const std::string path = folder.file("db");
  OtherConnection other(path);
  std::string missing;
  SUBCASE("no table of ours") {
    other.run("CREATE TABLE accounts (id integer)");
    missing = "table `resources` is missing";
  }
  SUBCASE("a resources table of another kind") {
    other.run("CREATE TABLE resources (id integer, name text)");
    missing = "table `resources` has no column `title`";
  }
  const std::string before = other.cell("SELECT group_concat(sql) FROM sqlite_master");
  const auto opened = make_sqlite_store(options_for(path))->open();
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == ErrorCode::kInvalid);
  CHECK(opened.error().text == "the catalog database " + path +
                                   " is not one of Puppet's storeconfigs (" + missing +
                                   "): name another file, and it is made");
  CHECK(other.cell("SELECT group_concat(sql) FROM sqlite_master") == before);
  const auto reader = open_sqlite_reader(path);
  REQUIRE_FALSE(reader.has_value());
  CHECK(reader.error().code == ErrorCode::kInvalid);
}

TEST_CASE("a file that is no database is refused with a sentence") {
  const TestFolder folder;
  const std::string path = folder.file("db");
  std::ofstream(path) << std::string(8192, 'x');
  const auto opened = make_sqlite_store(options_for(path))->open();
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == ErrorCode::kCorrupt);
  CHECK(opened.error().text.find(path + " is not a SQLite database") != std::string::npos);
  const auto reader = open_sqlite_reader(path);
  REQUIRE_FALSE(reader.has_value());
  CHECK(reader.error().text == opened.error().text);
}

TEST_CASE("errors name a file as the user did, whatever is in its name") {
  const TestFolder folder;
  for (const char* name : {"a b", "50%", "what?", "no#1"}) {
    CAPTURE(name);
    const std::string path = folder.file(name);
    std::ofstream(path) << std::string(8192, 'x');
    const auto reader = open_sqlite_reader(path);
    REQUIRE_FALSE(reader.has_value());
    CHECK(reader.error().text.find(path + " is not a SQLite database") != std::string::npos);
    CHECK(reader.error().text.find("file:") == std::string::npos);
    CHECK(reader.error().text.find("mode=ro") == std::string::npos);
  }
}

TEST_CASE("a missing folder, a folder as the file: each has its sentence") {
  const TestFolder folder;
  auto opened = make_sqlite_store(options_for(folder.file("no/db")))->open();
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == ErrorCode::kNotFound);
  CHECK(opened.error().text == "the folder " + folder.file("no") +
                                   " of the catalog database does not exist: make it first");
  opened = make_sqlite_store(options_for(folder.path()))->open();
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == ErrorCode::kInvalid);
}

TEST_CASE("a read-only folder, file, or folder of a file: each is kDenied with the remedy") {
  const TestFolder folder;
  const std::string path = folder.file("db");
  bool exists = true;
  SUBCASE("folder, no file yet") {
    exists = false;
  }
  SUBCASE("folder of a file") {}
  SUBCASE("file") {}
  if (exists) {
    REQUIRE(make_sqlite_store(options_for(path))->open().has_value());
    REQUIRE(::chmod(path.c_str(), 0444) == 0);
  }
  REQUIRE(::chmod(folder.path().c_str(), 0555) == 0);
  {
    const Unprivileged as_nobody;
    const auto opened = make_sqlite_store(options_for(path))->open();
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == ErrorCode::kDenied);
    CHECK(opened.error().text.find(exists ? "change its owner" : "let this process write") !=
          std::string::npos);
  }
  ::chmod(folder.path().c_str(), 0755);
}

TEST_CASE("a database that somebody holds locked is kBusy") {
  const TestFolder folder;
  const std::string path = folder.file("db");
  OtherConnection other(path);
  other.run(schema_of("3.8.7"));
  other.run("BEGIN EXCLUSIVE");
  const auto store = make_sqlite_store(options_for(path));
  const auto opened = store->open();
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == ErrorCode::kBusy);
  other.run("COMMIT");
  CHECK(save_one(*store) == SaveStatus::kStored);  // opens by itself
}

TEST_CASE("a reader never makes a file, and says when there is none") {
  const TestFolder folder;
  const auto reader = open_sqlite_reader(folder.file("none"));
  REQUIRE_FALSE(reader.has_value());
  CHECK(reader.error().code == ErrorCode::kNotFound);
  CHECK(::access(folder.file("none").c_str(), F_OK) != 0);
}

TEST_CASE("a reader that may not enter the folder says so, not that there is no database") {
  const TestFolder folder;
  const auto options = options_for(folder.file("db"));
  REQUIRE(make_sqlite_store(options)->open().has_value());
  REQUIRE(::chmod(folder.path().c_str(), 0000) == 0);
  {
    const Unprivileged as_nobody;
    const auto reader = open_sqlite_reader(options.path);
    REQUIRE_FALSE(reader.has_value());
    CHECK(reader.error().code == ErrorCode::kDenied);
  }
  REQUIRE(::chmod(folder.path().c_str(), 0700) == 0);
}

TEST_CASE("a reader opens a WAL database that it may not write, beside its writer and alone") {
  const TestFolder folder;
  auto options = options_for(folder.file("a 100% #1?.sqlite3"));
  options.mode = 0644;
  auto store = make_sqlite_store(options);
  REQUIRE(store->open().has_value());
  REQUIRE(save_one(*store) == SaveStatus::kStored);
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  const auto count = [&] {
    const Unprivileged as_nobody;
    auto reader = open_sqlite_reader(options.path);
    if (!reader) FAIL(reader.error().text);
    const auto nodes = (*reader)->nodes();
    if (!nodes) FAIL(nodes.error().text);
    return nodes->size();
  };
  CHECK(count() == 1);
  store.reset();
  CHECK(count() == 1);
}

}  // namespace stompbox::catalog

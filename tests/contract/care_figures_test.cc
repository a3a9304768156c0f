#include <doctest/doctest.h>

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "storage/catalog/care/sqlite_backup.h"
#include "storage/catalog/care/store_figures.h"
#include "tests/contract/care_database.h"
#include "tests/support/test_folder.h"

namespace stompbox::contract {
namespace {

catalog::care::StoreFigures figures(CatalogDatabase& db) {
  CountingWatch watch;
  const auto connection = connect(db, catalog::ConnectionUse::kRead);
  auto found = catalog::care::figures_of(*connection, 1, watch);
  if (!found) FAIL(found.error().text);
  return *found;
}

catalog::care::TableFigures table(const catalog::care::StoreFigures& figures,
                                  const std::string& name) {
  const auto at = std::ranges::find(figures.tables, name, &catalog::care::TableFigures::name);
  REQUIRE(at != figures.tables.end());
  return *at;
}

}  // namespace

TEST_CASE("figures count rows, nodes, names in use by nothing and bytes") {
  const auto db = make_catalog_database();
  fill(*db);
  db->run("INSERT INTO puppet_tags (name) VALUES ('unused')");
  const auto found = figures(*db);
  CHECK(found.nodes == 2);
  CHECK(table(found, "resources").rows == 6);
  CHECK(table(found, "param_values").rows == 14);
  CHECK(table(found, "puppet_tags").unused == 1);
  CHECK(table(found, "param_names").unused == 0);
  CHECK_FALSE(table(found, "resources").unused.has_value());
  CHECK(table(found, "resources").bytes.value_or(0) > 0);
  CHECK(found.bytes > 0);
  REQUIRE(found.biggest.size() == 1);
  CHECK(found.biggest[0].name == "web1");
  CHECK(found.biggest[0].resources == 3);
  CHECK(found.biggest[0].values == 7);
}

TEST_CASE("a backup of a database in use is whole, has its mode, and replaces nothing unasked") {
  const auto db = make_catalog_database();
  if (!is_sqlite(*db)) return;  // the server has its own way
  fill(*db);
  const auto store = db->store({});
  const support::TestFolder folder;
  const std::string target = folder.file("copy.sqlite3");
  const std::string path = place_of(*db).sqlite.path;
  std::filesystem::permissions(path, std::filesystem::perms{0640});
  CountingWatch watch;
  const auto done =
      catalog::care::backup_sqlite(path, target, catalog::care::Existing::kKeep, watch);
  if (!done) FAIL(done.error().text);
  CHECK(done->bytes == std::filesystem::file_size(target));
  CHECK(std::filesystem::status(target).permissions() == std::filesystem::perms{0640});
  CHECK(watch.steps > 0);

  const auto again =
      catalog::care::backup_sqlite(path, target, catalog::care::Existing::kKeep, watch);
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == storage::ErrorCode::kInvalid);
  CHECK(catalog::care::backup_sqlite(path, target, catalog::care::Existing::kReplace, watch)
            .has_value());
  CHECK_FALSE(std::filesystem::exists(target + ".unfinished"));

  catalog::CatalogPlace copy;
  copy.kind = catalog::PlaceKind::kSqlite;
  copy.sqlite.path = target;
  const auto reader = catalog::open_catalog_reader(copy);
  if (!reader) FAIL(reader.error().text);
  CHECK((*reader)->nodes()->size() == 2);
}

TEST_CASE("a backup that cannot be written leaves nothing behind") {
  const auto db = make_catalog_database();
  if (!is_sqlite(*db)) return;  // the server has its own way
  fill(*db);
  const support::TestFolder folder;
  CountingWatch watch;
  const auto done = catalog::care::backup_sqlite(place_of(*db).sqlite.path, folder.file("no/copy"),
                                                 catalog::care::Existing::kKeep, watch);
  REQUIRE_FALSE(done.has_value());
  CHECK(std::filesystem::is_empty(folder.path()));
}

}  // namespace stompbox::contract

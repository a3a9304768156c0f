#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "tests/contract/catalog_database.h"

namespace stompbox::contract {
namespace {

using catalog::SaveStatus;
using Texts = std::vector<std::string>;

catalog::NodeFacts web01() {
  return facts_of("web01", {{"kernel", {"Linux"}}, {"interfaces", {"lo", "eth0"}}});
}

Texts stored(CatalogDatabase& db) {
  Texts found;
  for (const auto& row : db.rows("SELECT n.name, v.value FROM fact_values v"
                                 " JOIN fact_names n ON n.id = v.fact_name_id"
                                 " JOIN hosts h ON h.id = v.host_id ORDER BY n.name, v.id")) {
    found.push_back(row[0].value() + "=" + row[1].value());
  }
  return found;
}

}  // namespace

TEST_CASE("facts are stored with their host, an array as a row each") {
  for (const SchemaAge age : {SchemaAge::kNone, SchemaAge::kPuppet025, SchemaAge::kPuppet38}) {
    const auto db = make_catalog_database(age);
    const auto store = db->store({});
    CHECK(save(*store, web01()).status == SaveStatus::kStored);
    CHECK(stored(*db) == Texts{"interfaces=lo", "interfaces=eth0", "kernel=Linux"});
    CHECK(column(*db, "SELECT name FROM hosts") == Texts{"web01"});
  }
}

TEST_CASE("unchanged facts write no fact row") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(save(*store, web01()).status == SaveStatus::kStored);
  const auto before = db->rows("SELECT * FROM fact_values ORDER BY id");
  CHECK(save(*store, web01()).status == SaveStatus::kUnchanged);
  CHECK(db->rows("SELECT * FROM fact_values ORDER BY id") == before);
}

TEST_CASE("of changed facts only those that differ are written") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(save(*store, web01()).status == SaveStatus::kStored);
  const std::string kernel = "SELECT id FROM fact_values WHERE value = 'Linux'";
  const std::string before = cell(*db, kernel);
  auto facts = web01();
  SUBCASE("another order") {
    facts.facts[1].values = {"eth0", "lo"};
    CHECK(save(*store, facts).status == SaveStatus::kStored);
    CHECK(stored(*db) == Texts{"interfaces=eth0", "interfaces=lo", "kernel=Linux"});
  }
  SUBCASE("one more, one less") {
    facts.facts[1] = {"uptime", {"1 day"}};
    CHECK(save(*store, facts).status == SaveStatus::kStored);
    CHECK(stored(*db) == Texts{"kernel=Linux", "uptime=1 day"});
  }
  CHECK(cell(*db, kernel) == before);
}

TEST_CASE("later facts never lose to earlier ones, in one call too") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(save(*store, web01()).status == SaveStatus::kStored);
  const auto earlier = facts_of("web01", {});
  const auto later = facts_of("web01", {{"kernel", {"Linux"}}});
  const std::vector<catalog::FactsSave> saves = {{&earlier, {"q", 2}}, {&later, {"q", 1}}};
  const auto outcomes = store->save_facts(saves);
  REQUIRE(outcomes.size() == 2);
  CHECK(outcomes[0].status == SaveStatus::kStored);
  CHECK(outcomes[1].status == SaveStatus::kSuperseded);
  CHECK(stored(*db) == Texts{});
}

TEST_CASE("arrivals of facts and catalogs are counted apart") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  const auto facts = web01();
  const auto catalog = catalog_of("web01", {resource("File", "/a")});
  const std::array catalogs = {catalog::CatalogSave{&catalog, {"q", 7}}};
  const std::array early = {catalog::FactsSave{&facts, {"q", 3}}};
  REQUIRE(store->save(catalogs)[0].status == SaveStatus::kStored);
  CHECK(store->save_facts(early)[0].status == SaveStatus::kStored);
  CHECK(store->save_facts(early)[0].status == SaveStatus::kSuperseded);
  CHECK(store->save(catalogs)[0].status == SaveStatus::kSuperseded);
}

TEST_CASE("a fact without a name row is cleared away") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(save(*store, web01()).status == SaveStatus::kStored);
  db->run(
      "INSERT INTO fact_values (value, fact_name_id, host_id)"
      " SELECT 'stray', 4711, id FROM hosts");
  CHECK(save(*store, web01()).status == SaveStatus::kStored);
  CHECK(cell(*db, "SELECT count(*) FROM fact_values") == "3");
}

}  // namespace stompbox::contract

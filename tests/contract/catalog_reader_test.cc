#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tests/contract/catalog_database.h"

namespace stompbox::contract {
namespace {

using catalog::ResourceQuery;
using catalog::ResourceRow;
using Holds = catalog::ParameterTest::Holds;
using Kind = catalog::NodeChanges::Kind;
using Texts = std::vector<std::string>;

std::unique_ptr<CatalogDatabase> filled() {
  auto db = make_catalog_database();
  const auto store = db->store({});
  auto web = catalog_of(
      "web01", {resource("File", "/etc/motd", {{"mode", {"0644"}}, {"require", {"B", "A"}}},
                         {"file", "base"}),
                exported(resource("Nagios_host", "web01", {{"alias", {"w"}}}, {"nagios_host"}))});
  web.environment = "production";
  web.resources[0].line = 12;
  web.resources[0].file = "/site.pp";
  const auto db02 = catalog_of("db02", {exported(resource("Nagios_host", "db02"))});
  REQUIRE(save(*store, facts_of("web01", {{"ipaddress", {"10.0.0.1"}}, {"nics", {"b", "a"}}}))
              .error.text.empty());
  REQUIRE(save(*store, web).error.text.empty());
  REQUIRE(save(*store, db02).error.text.empty());
  return db;
}

Texts found(CatalogDatabase& db, const ResourceQuery& query) {
  Texts titles;
  const auto rows = db.reader()->resources(query);
  REQUIRE(rows.has_value());
  for (const ResourceRow& row : *rows)
    titles.push_back(row.title);
  return titles;
}

}  // namespace

TEST_CASE("nodes are listed by name with their counts") {
  const auto db = filled();
  const auto nodes = db->reader()->nodes();
  REQUIRE(nodes.has_value());
  REQUIRE(nodes->size() == 2);
  CHECK(nodes->at(0).name == "db02");
  const catalog::NodeRow& web = nodes->at(1);
  CHECK(web.name == "web01");
  CHECK(web.environment == "production");
  CHECK(web.ip == "10.0.0.1");
  CHECK(web.last_compile.size() >= 19);
  CHECK(web.resource_count == 2);
  CHECK(web.exported_count == 1);
  CHECK(web.fact_count == 2);
}

TEST_CASE("a resource is read with its values in order and its tags") {
  const auto db = filled();
  ResourceQuery query;
  query.title = "/etc/motd";
  const auto rows = db->reader()->resources(query);
  REQUIRE(rows.has_value());
  REQUIRE(rows->size() == 1);
  const ResourceRow& row = rows->at(0);
  CHECK(row.node == "web01");
  CHECK(row.type == "File");
  CHECK(row.file == "/site.pp");
  CHECK(row.line == 12);
  CHECK_FALSE(row.exported);
  using Parameters = std::vector<std::pair<std::string, Texts>>;
  CHECK(row.parameters == Parameters{{"mode", {"0644"}}, {"require", {"B", "A"}}});
  CHECK(row.tags == Texts{"base", "file"});
}

TEST_CASE("resources are found by each criterion, and by all of them together") {
  const auto db = filled();
  ResourceQuery query;
  CHECK(found(*db, query) == Texts{"db02", "/etc/motd", "web01"});
  query.type = "Nagios_host";
  CHECK(found(*db, query) == Texts{"db02", "web01"});
  query.node = "web01";
  query.exported = true;
  CHECK(found(*db, query) == Texts{"web01"});
  query.tag = "nagios_host";
  query.parameters = {{Holds::kEqual, "alias", "w"}};
  CHECK(found(*db, query) == Texts{"web01"});
  query.parameters = {{Holds::kEqual, "alias", "x"}};
  CHECK(found(*db, query) == Texts{});
}

TEST_CASE("tags and parameters are compared exactly") {
  const auto db = filled();
  ResourceQuery query;
  query.tag = "base";
  CHECK(found(*db, query) == Texts{"/etc/motd"});
  query.tag = "bas";
  CHECK(found(*db, query) == Texts{});
  query.tag = "base";
  query.type = "File";
  query.exported = false;
  CHECK(found(*db, query) == Texts{"/etc/motd"});
  query.exported = true;
  CHECK(found(*db, query) == Texts{});
  query.exported = false;
  query.tag = "bas";
  CHECK(found(*db, query) == Texts{});
  query = {};
  query.parameters = {{Holds::kEqual, "require", "A"}};
  CHECK(found(*db, query) == Texts{"/etc/motd"});
  query.parameters = {{Holds::kEqual, "mode", "A"}};
  CHECK(found(*db, query) == Texts{});
  query.parameters.clear();
  query.exported = false;
  CHECK(found(*db, query) == Texts{"/etc/motd"});
}

TEST_CASE("no more resources are read than asked for") {
  const auto db = filled();
  ResourceQuery query;
  query.count_max = 2;
  CHECK(found(*db, query) == Texts{"db02", "/etc/motd"});
}

TEST_CASE("facts are read by name with their values in order; an unknown node is not found") {
  const auto db = filled();
  const auto reader = db->reader();
  const auto facts = reader->facts("web01");
  REQUIRE(facts.has_value());
  REQUIRE(facts->size() == 2);
  CHECK(facts->at(0).name == "ipaddress");
  CHECK(facts->at(1).values == Texts{"b", "a"});
  CHECK(reader->facts("db02")->empty());
  const auto unknown = reader->facts("nobody");
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().code == storage::ErrorCode::kNotFound);
}

TEST_CASE("a reader sees what a store commits later") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  const auto reader = db->reader();
  REQUIRE(reader->nodes()->empty());
  REQUIRE(save(*store, catalog_of("a", {resource("File", "/a")})).error.text.empty());
  CHECK(reader->nodes()->size() == 1);
}

TEST_CASE("a parameter that must be another has to be there; of an array any element counts") {
  const auto db = filled();
  ResourceQuery query;
  query.parameters = {{Holds::kOther, "require", "A"}};
  CHECK(found(*db, query) == Texts{"/etc/motd"});  // its other element
  query.parameters = {{Holds::kOther, "mode", "0644"}};
  CHECK(found(*db, query) == Texts{});
  query.parameters = {{Holds::kOther, "mode", "0600"}, {Holds::kEqual, "require", "B"}};
  CHECK(found(*db, query) == Texts{"/etc/motd"});
}

TEST_CASE("a type may be a pattern; other characters of patterns are themselves") {
  const auto db = filled();
  ResourceQuery query;
  query.type = "Nagios_*";
  CHECK(found(*db, query) == Texts{"db02", "web01"});
  query.type = "N%";
  CHECK(found(*db, query) == Texts{});
  query.type = "N_gios*";
  CHECK(found(*db, query) == Texts{});
}

TEST_CASE("a collector does not find its own, and finds what hangs on no host") {
  const auto db = filled();
  ResourceQuery query;
  query.exported = true;
  query.collector = "web01";
  CHECK(found(*db, query) == Texts{"db02"});
  db->run("UPDATE resources SET host_id = 4711 WHERE title = 'db02'");
  CHECK(found(*db, query) == Texts{"db02"});
  CHECK(db->reader()->resources(query)->at(0).node.empty());
  db->run("UPDATE resources SET host_id = NULL WHERE title = 'db02'");
  CHECK(found(*db, query) == Texts{});  // as a master: NULL differs from nothing
  query.collector = "newcomer";
  CHECK(found(*db, query) == Texts{"db02", "web01"});
}

TEST_CASE("values of many resources are each read to their own") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  std::vector<catalog::Resource> resources;
  for (int i = 0; i < 300; ++i) {
    const std::string name = "/" + std::to_string(1000 + i);
    resources.push_back(resource("File", name, {{"path", {name, name + "b"}}}, {"t" + name}));
  }
  REQUIRE(save(*store, catalog_of("a", std::move(resources))).error.text.empty());
  const auto rows = db->reader()->resources({});
  REQUIRE(rows->size() == 300);
  for (const ResourceRow& row : *rows) {
    REQUIRE(row.parameters.size() == 1);
    CHECK(row.parameters[0].second == Texts{row.title, row.title + "b"});
    CHECK(row.tags == Texts{"t" + row.title});
  }
}

TEST_CASE("nodes are found by a fact, and by one of its values") {
  const auto db = filled();
  const auto store = db->store({});
  REQUIRE(save(*store, facts_of("db02", {{"nics", {"c"}}})).error.text.empty());
  const auto all = db->reader()->find_facts("nics", std::nullopt);
  REQUIRE(all->size() == 2);
  CHECK(all->at(0).node == "db02");
  CHECK(all->at(1).fact.values == Texts{"b", "a"});
  const auto with_a = db->reader()->find_facts("nics", "a");
  REQUIRE(with_a->size() == 1);
  CHECK(with_a->at(0).node == "web01");
  CHECK(db->reader()->find_facts("nics", "x")->empty());
  CHECK(db->reader()->find_facts("nix", std::nullopt)->empty());
}

TEST_CASE("the time from arrival until storing is told where it is known") {
  const auto db = filled();
  const auto store = db->store({});
  const auto changed = catalog_of("web01", {resource("File", "/b")});
  const std::array saves = {catalog::CatalogSave{&changed, {}, 1}};  // 1970
  REQUIRE(store->save(saves).at(0).error.text.empty());
  const auto nodes = db->reader()->nodes();
  CHECK_FALSE(nodes->at(0).lag_ms.has_value());
  CHECK(nodes->at(1).lag_ms.value_or(0) > 1'000'000'000'000);
}

TEST_CASE("what the last changing catalog changed is told, and how long ago") {
  const auto db = filled();
  const auto store = db->store({});
  const auto first = db->reader()->changes("web01");
  REQUIRE(first.has_value());
  CHECK(first->changes.added_count == 2);
  CHECK(first->changes.changes.empty());  // of a first catalog only the counts
  CHECK(first->changed_at == first->last_compile);

  auto web = catalog_of("web01", {resource("File", "/etc/motd", {{"mode", {"0600"}}}, {"file"}),
                                  resource("File", "/new\nline\t%41")});
  REQUIRE(save(*store, web).error.text.empty());
  const auto second = db->reader()->changes("web01");
  CHECK(second->changes.added_count == 1);
  CHECK(second->changes.removed_count == 1);
  CHECK(second->changes.changed_count == 1);
  REQUIRE(second->changes.changes.size() == 3);
  CHECK(second->changes.changes[0].kind == Kind::kRemoved);
  CHECK(second->changes.changes[0].title == "web01");
  const auto& changed = second->changes.changes[1];
  CHECK(changed.title == "/etc/motd");
  CHECK(changed.parameters == Texts{"mode", "require"});
  CHECK(changed.tags);
  CHECK_FALSE(changed.place);
  CHECK(second->changes.changes[2].kind == Kind::kAdded);
  CHECK(second->changes.changes[2].title == "/new\nline\t%41");

  REQUIRE(save(*store, web).status == catalog::SaveStatus::kUnchanged);
  const auto third = db->reader()->changes("web01");
  CHECK(third->changed_at == second->changed_at);
  CHECK(third->changes.changes.size() == 3);
}

TEST_CASE("in a database that another program filled no changes are known") {
  const auto db = make_catalog_database(SchemaAge::kPuppet38);
  db->run("INSERT INTO hosts (name) VALUES ('old')");
  const auto changes = db->reader()->changes("old");
  REQUIRE(changes.has_value());
  CHECK(changes->changed_at.empty());
  CHECK(db->reader()->nodes()->size() == 1);
  const auto unknown = db->reader()->changes("nobody");
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().code == storage::ErrorCode::kNotFound);
}

}  // namespace stompbox::contract

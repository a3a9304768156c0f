#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/contract/catalog_database.h"

namespace stompbox::contract {
namespace {

using catalog::ResourceQuery;
using catalog::ResourceRow;
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
  query.parameter = {"alias", "w"};
  CHECK(found(*db, query) == Texts{"web01"});
  query.parameter = {"alias", "x"};
  CHECK(found(*db, query) == Texts{});
}

TEST_CASE("tags and parameters are compared exactly") {
  const auto db = filled();
  ResourceQuery query;
  query.tag = "base";
  CHECK(found(*db, query) == Texts{"/etc/motd"});
  query.tag = "bas";
  CHECK(found(*db, query) == Texts{});
  query.tag.reset();
  query.parameter = {"require", "A"};
  CHECK(found(*db, query) == Texts{"/etc/motd"});
  query.parameter = {"mode", "A"};
  CHECK(found(*db, query) == Texts{});
  query.parameter.reset();
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

}  // namespace stompbox::contract

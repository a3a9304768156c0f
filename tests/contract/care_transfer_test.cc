#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "storage/catalog/care/node_line.h"
#include "storage/catalog/care/transfer.h"
#include "tests/contract/care_database.h"

namespace stompbox::contract {
namespace {

using catalog::care::Import;
using catalog::care::Imported;
using catalog::care::Newer;
using catalog::care::NodeLine;

std::vector<std::string> lines_of(CatalogDatabase& db) {
  CountingWatch watch;
  std::vector<std::string> lines;
  const auto connection = connect(db, catalog::ConnectionUse::kRead);
  const auto outcome = catalog::care::export_nodes(
      *connection,
      [&lines](std::string_view line) {
        lines.emplace_back(line);
        return true;
      },
      watch);
  if (!outcome) FAIL(outcome.error().text);
  CHECK(outcome->nodes == lines.size());
  return lines;
}

Imported import_into(CatalogDatabase& db, const std::vector<std::string>& lines,
                     Newer newer = Newer::kKeep) {
  const auto store = db.store({});
  const auto connection = connect(db);
  Import import(*store, *connection, newer);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto status = import.add(i + 1, lines[i]);
    if (!status) FAIL(status.error().text);
  }
  const auto status = import.flush();
  if (!status) FAIL(status.error().text);
  return import.outcome();
}

std::vector<std::string> times_of(CatalogDatabase& db) {
  return column(db, "SELECT substr(last_compile, 1, 19) FROM hosts ORDER BY name");
}

}  // namespace

TEST_CASE("what is exported and imported means the same to masters") {
  const auto from = make_catalog_database(SchemaAge::kPuppet38);
  fill(*from);
  from->run("INSERT INTO hosts (name) VALUES ('web3')");
  from->run("INSERT INTO fact_names (name) VALUES ('_timestamp')");
  from->run(
      "INSERT INTO fact_values (value, fact_name_id, host_id) SELECT 'Mon', max(id), 1 FROM"
      " fact_names");
  from->run(
      "UPDATE hosts SET environment = NULL, ip = '10.2.3.4', last_compile ="
      " '2020-01-02 03:04:05' WHERE name = 'web2'");
  from->run("UPDATE param_values SET value = '--- {\"a\": \"\\u0007b\"}' WHERE value = 'AAAA'");
  const auto lines = lines_of(*from);
  REQUIRE(lines.size() == 3);

  const auto to = make_catalog_database();
  const Imported outcome = import_into(*to, lines);
  CHECK(outcome.stored == 2);
  CHECK(outcome.unchanged == 1);  // web3 has neither catalog nor facts
  CHECK(outcome.refused.empty());
  CHECK(meaning_of(*to) == meaning_of(*from));
  CHECK(times_of(*to) == times_of(*from));
  CHECK(lines_of(*to).size() == 3);
}

TEST_CASE("an import twice changes nothing the second time") {
  const auto db = make_catalog_database();
  fill(*db);
  const auto lines = lines_of(*db);
  const auto before = meaning_of(*db);
  const Imported outcome = import_into(*db, lines);
  CHECK(outcome.stored == 0);
  CHECK(outcome.unchanged == 2);
  CHECK(meaning_of(*db) == before);
}

TEST_CASE("a node that was compiled later here is left alone, unless it is to be replaced") {
  const auto db = make_catalog_database();
  fill(*db);
  const auto lines = lines_of(*db);
  db->run("UPDATE param_values SET value = 'newer' WHERE value = 'root'");
  db->run("UPDATE hosts SET last_compile = '2037-01-01 00:00:00'");
  CHECK(import_into(*db, lines).newer == 2);
  CHECK(column(*db, "SELECT count(*) FROM param_values WHERE value = 'newer'").at(0) == "2");
  CHECK(import_into(*db, lines, Newer::kReplace).newer == 0);
  CHECK(column(*db, "SELECT count(*) FROM param_values WHERE value = 'newer'").at(0) == "0");
}

TEST_CASE("facts that a master writes here are left alone") {
  const auto db = make_catalog_database();
  fill(*db);
  auto lines = lines_of(*db);
  db->run("INSERT INTO fact_names (name) VALUES ('_timestamp')");
  db->run(
      "INSERT INTO fact_values (value, fact_name_id, host_id) SELECT 'Mon', max(id), 1 FROM"
      " fact_names");
  db->run("UPDATE fact_values SET value = 'Solaris' WHERE value = 'Debian' AND host_id = 1");
  CHECK(import_into(*db, lines).facts_skipped == 1);
  CHECK(cell(*db, "SELECT count(*) FROM fact_values WHERE value = 'Solaris'") == "1");
}

TEST_CASE("damaged lines are refused by their number, the others are stored") {
  const auto from = make_catalog_database();
  fill(*from);
  auto lines = lines_of(*from);
  const std::string whole = lines[1];
  lines.insert(lines.begin() + 1, whole.substr(0, whole.size() / 2));
  lines.emplace_back("[]");
  lines.emplace_back("");
  lines.emplace_back("{\"stompbox_node\":2}");
  lines.emplace_back("{\"stompbox_node\":1,\"node\":\"x\"}");
  const auto to = make_catalog_database();
  const Imported outcome = import_into(*to, lines);
  CHECK(outcome.stored == 2);
  std::vector<std::uint64_t> refused;
  for (const Imported::Refusal& refusal : outcome.refused)
    refused.push_back(refusal.line);
  CHECK(refused == std::vector<std::uint64_t>{2, 4, 5, 6, 7});
  CHECK(meaning_of(*to) == meaning_of(*from));
}

TEST_CASE("a line that somebody edited is brought into the form of the tables") {
  const auto db = make_catalog_database();
  NodeLine node;
  node.compiled = true;
  node.catalog.node = "web1";
  node.catalog.resources = {
      resource("web::site", "shop", {{"text", {"a\n--- b"}}}, {"Web", "web", "site"})};
  CHECK(import_into(*db, {to_json(node)}).stored == 1);
  CHECK(cell(*db, "SELECT restype FROM resources") == "Web::Site");
  CHECK(tags_of(*db, "shop") == std::vector<std::string>{"site", "web"});
  CHECK(parameters_of(*db, "shop") == std::vector<std::string>{"text=--- \"a\\n--- b\""});
  node.catalog.resources.push_back(node.catalog.resources.front());
  CHECK(import_into(*db, {to_json(node)}).refused.size() == 1);
}

TEST_CASE("an export of damaged rows is what a repair would make of them") {
  const auto db = make_catalog_database();
  fill(*db);
  const auto before = lines_of(*db);
  db->run(
      "INSERT INTO resource_tags (resource_id, puppet_tag_id) SELECT resource_id, puppet_tag_id"
      " FROM resource_tags WHERE id = 1");
  db->run("UPDATE resources SET restype = 'sshkey' WHERE title = 'web1'");
  db->run(
      "UPDATE resource_tags SET puppet_tag_id = 999 WHERE id = (SELECT m FROM (SELECT max(id)"
      " AS m FROM resource_tags) x)");
  CHECK(lines_of(*db) == before);
}

TEST_CASE("a line is read back as it was written, whatever its bytes") {
  NodeLine node;
  node.compiled = true;
  node.catalog.node = "web1";
  node.catalog.resources = {exported(resource(
      "File", std::string("a\0b\"\\\n", 6), {{"x", {"\xff\xfe", "", "\xc3\xa9", "\xff"}}}, {"t"}))};
  node.catalog.resources[0].line = -7;
  node.facts.node = "web1";
  node.facts.facts = {{"f", {"1", "2"}}};
  node.ip = "";
  node.last_compile = "2020-01-02 03:04:05.123456";
  const auto read = catalog::care::parse_node_line(to_json(node));
  if (!read) FAIL(read.error().text);
  CHECK(read->catalog.resources == node.catalog.resources);
  CHECK(read->facts.facts[0].values == node.facts.facts[0].values);
  CHECK(read->ip == node.ip);
  CHECK(read->environment == node.environment);
  CHECK(read->last_compile == node.last_compile);
}

}  // namespace stompbox::contract

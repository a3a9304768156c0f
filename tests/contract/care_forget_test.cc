#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "storage/catalog/care/forget.h"
#include "tests/contract/care_database.h"

namespace stompbox::contract {
namespace {

using catalog::Arrival;
using catalog::SaveStatus;
using std::chrono::hours;

constexpr auto kDay = hours(24);

catalog::care::Forgotten forget(CatalogDatabase& db, const std::string& node,
                                const std::optional<Arrival>& through = std::nullopt) {
  const auto connection = connect(db);
  const auto outcome = catalog::care::forget_node(*connection, node, through);
  if (!outcome) FAIL(outcome.error().text);
  return *outcome;
}

catalog::care::Unexported unexport(CatalogDatabase& db, const std::string& node,
                                   const std::optional<Arrival>& through = std::nullopt) {
  const auto connection = connect(db);
  const auto outcome = catalog::care::unexport_node(*connection, node, through);
  if (!outcome) FAIL(outcome.error().text);
  return *outcome;
}

std::vector<std::string> expire(CatalogDatabase& db, std::chrono::seconds silent_for,
                                std::size_t count_max = 10) {
  const auto connection = connect(db);
  auto expired = catalog::care::expire_step(*connection, silent_for,
                                            std::chrono::system_clock::now(), count_max);
  if (!expired.failure) FAIL(expired.failure.error().text);
  return std::move(expired.forgotten);
}

SaveStatus save_at(catalog::CatalogStore& store, const catalog::Catalog& catalog,
                   std::uint64_t number) {
  const std::array saves = {catalog::CatalogSave{&catalog, {"queue", number}}};
  return store.save(saves)[0].status;
}

SaveStatus save_at(catalog::CatalogStore& store, const catalog::NodeFacts& facts,
                   std::uint64_t number) {
  const std::array saves = {catalog::FactsSave{&facts, {"queue", number}}};
  return store.save_facts(saves)[0].status;
}

std::string count(CatalogDatabase& db, const std::string& of) {
  return cell(db, "SELECT count(*) FROM " + of);
}

}  // namespace

TEST_CASE("forgetting a node takes all of its rows and no other; names stay") {
  const auto db = make_catalog_database();
  fill(*db);
  const std::string names = count(*db, "param_names");
  const auto outcome = forget(*db, "web1");
  CHECK(outcome.hosts == 1);
  CHECK(outcome.resources == 3);
  CHECK(outcome.facts == 2);
  CHECK(column(*db, "SELECT name FROM hosts") == std::vector<std::string>{"web2"});
  CHECK(count(*db, "resources") == "3");
  CHECK(count(*db, "fact_values") == "2");
  CHECK(count(*db,
              "param_values v LEFT JOIN resources r ON r.id = v.resource_id WHERE r.id IS"
              " NULL") == "0");
  CHECK(count(*db,
              "resource_tags v LEFT JOIN resources r ON r.id = v.resource_id WHERE r.id IS"
              " NULL") == "0");
  CHECK(count(*db, "param_names") == names);
}

TEST_CASE("forgetting a node that is not there changes nothing") {
  const auto db = make_catalog_database();
  fill(*db);
  CHECK(forget(*db, "web3").hosts == 0);
  CHECK(forget(*db, "WEB1").hosts == 0);
  CHECK(count(*db, "hosts") == "2");
}

TEST_CASE("a node that has several rows is forgotten whole") {
  const auto db = make_catalog_database();
  fill(*db);
  db->run("INSERT INTO hosts (name) VALUES ('web1')");
  CHECK(forget(*db, "web1").hosts == 2);
  CHECK(column(*db, "SELECT name FROM hosts") == std::vector<std::string>{"web2"});
}

TEST_CASE(
    "what was queued before a node was forgotten does not bring it back, what came later does") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  const auto catalog = web_catalog("web1");
  const auto facts = facts_of("web1", {{"os", {"Debian"}}});
  CHECK(save_at(*store, catalog, 10) == SaveStatus::kStored);
  CHECK(forget(*db, "web1", Arrival{"queue", 20}).marked);
  CHECK(save_at(*store, catalog, 15) == SaveStatus::kSuperseded);
  CHECK(save_at(*store, facts, 16) == SaveStatus::kSuperseded);
  CHECK(count(*db, "hosts") == "0");
  CHECK(save_at(*store, facts, 21) == SaveStatus::kStored);
  CHECK(save_at(*store, catalog, 22) == SaveStatus::kStored);
  CHECK(count(*db, "resources") == "3");
}

TEST_CASE("a node that was never stored can be forgotten before its first catalog is") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  CHECK(forget(*db, "web1", Arrival{"queue", 20}).hosts == 0);
  CHECK(save_at(*store, web_catalog("web1"), 15) == SaveStatus::kSuperseded);
  CHECK(save_at(*store, web_catalog("web1"), 25) == SaveStatus::kStored);
}

TEST_CASE("a mark never goes back behind what is stored") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  CHECK(save_at(*store, web_catalog("web1"), 30) == SaveStatus::kStored);
  CHECK(forget(*db, "web1", Arrival{"queue", 20}).marked);
  CHECK(save_at(*store, web_catalog("web1"), 25) == SaveStatus::kSuperseded);
}

TEST_CASE(
    "without a mark a message that is stored already does not come back, a waiting one does") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  CHECK(save_at(*store, web_catalog("web1"), 10) == SaveStatus::kStored);
  CHECK_FALSE(forget(*db, "web1").marked);
  CHECK(save_at(*store, web_catalog("web1"), 10) == SaveStatus::kSuperseded);
  CHECK(save_at(*store, web_catalog("web1"), 11) == SaveStatus::kStored);
}

TEST_CASE("a database that only Puppet has written gets a place for the mark") {
  const auto db = make_catalog_database(SchemaAge::kPuppet26);
  db->run("INSERT INTO hosts (name) VALUES ('old')");
  const auto outcome = forget(*db, "old", Arrival{"queue", 20});
  CHECK(outcome.hosts == 1);
  CHECK(outcome.marked);
}

TEST_CASE("unexporting says ensure absent where there is an ensure, and keeps the line") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  auto catalog = web_catalog("web1");
  catalog.resources.push_back(
      exported(resource("Web::Site", "shop", {{"ensure", {"running"}}, {"port", {"80"}}})));
  catalog.resources.push_back(exported(resource("Web::Pool", "pool", {{"port", {"80"}}})));
  CHECK(save(*store, catalog).status == SaveStatus::kStored);
  db->run("UPDATE param_values SET line = 12 WHERE value = 'running'");

  const auto outcome = unexport(*db, "web1");
  CHECK(outcome.hosts == 1);
  CHECK(outcome.resources == 3);
  CHECK(outcome.others == 1);
  CHECK(parameters_of(*db, "web1") == std::vector<std::string>{"ensure=absent", "key=AAAA"});
  CHECK(parameters_of(*db, "shop") == std::vector<std::string>{"ensure=absent", "port=80"});
  CHECK(parameters_of(*db, "http-web1").front() == "ensure=absent");
  CHECK(parameters_of(*db, "pool") == std::vector<std::string>{"port=80"});
  CHECK(parameters_of(*db, "/etc/motd").size() == 2);
  CHECK(cell(*db, "SELECT line FROM param_values WHERE value = 'absent' AND line IS NOT NULL") ==
        "12");
  CHECK(count(*db, "hosts") == "1");
}

TEST_CASE("the catalog after an unexport exports again, one that was queued before does not") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  auto catalog = web_catalog("web1");
  catalog.digest = "sixteen bytes...";
  CHECK(save_at(*store, catalog, 10) == SaveStatus::kStored);
  CHECK(unexport(*db, "web1", Arrival{"queue", 20}).marked);
  CHECK(save_at(*store, catalog, 15) == SaveStatus::kSuperseded);
  CHECK(parameters_of(*db, "web1").front() == "ensure=absent");
  CHECK(save_at(*store, catalog, 21) == SaveStatus::kStored);
  CHECK(parameters_of(*db, "web1").front() == "ensure=present");
}

TEST_CASE("a node of which nothing has come for so long is forgotten, a few at a time") {
  const auto db = make_catalog_database();
  fill(*db);
  for (const std::string node : {"old1", "old2", "old3"}) {
    db->run("INSERT INTO hosts (name, last_compile) VALUES ('" + node +
            "', '2001-02-03 04:05:06')");
  }
  CHECK(expire(*db, 30 * kDay, 2) == std::vector<std::string>{"old1", "old2"});
  CHECK(expire(*db, 30 * kDay, 2) == std::vector<std::string>{"old3"});
  CHECK(expire(*db, 30 * kDay, 2).empty());
  CHECK(count(*db, "hosts") == "2");
}

TEST_CASE("a node whose facts are fresh is not silent") {
  const auto db = make_catalog_database();
  fill(*db);
  db->run("UPDATE hosts SET last_compile = '2001-02-03 04:05:06' WHERE name = 'web1'");
  CHECK(expire(*db, 30 * kDay).empty());
  db->run("UPDATE fact_values SET updated_at = '2001-02-03 04:05:06' WHERE host_id = 1");
  CHECK(expire(*db, 30 * kDay).empty());  // the same facts may have come again
  db->run("UPDATE stompbox_nodes SET updated_at = '2001-02-03 04:05:06' WHERE name = 'web1'");
  CHECK(expire(*db, 30 * kDay) == std::vector<std::string>{"web1"});
}

TEST_CASE("a time that a wrong clock has left makes nobody silent") {
  const auto db = make_catalog_database();
  fill(*db);
  db->run("UPDATE fact_values SET updated_at = '2001-02-03 04:05:06'");
  db->run("UPDATE stompbox_nodes SET updated_at = '2001-02-03 04:05:06'");
  db->run("UPDATE hosts SET last_compile = '2001-02-03 04:05:06'");
  db->run("INSERT INTO hosts (name, last_compile) VALUES ('ahead', '2037-02-03 04:05:06')");
  CHECK(expire(*db, 30 * kDay).empty());
}

TEST_CASE("a node of which something comes between the look and its turn is kept") {
  const auto db = make_catalog_database();
  fill(*db);
  db->run("INSERT INTO hosts (name, last_compile) VALUES ('old1', '2001-02-03 04:05:06')");
  const auto connection = connect(*db);
  const auto silent =
      catalog::care::silent_nodes(*connection, 30 * kDay, std::chrono::system_clock::now(), 10);
  REQUIRE(silent);
  REQUIRE(silent->size() == 1);
  db->run("UPDATE hosts SET last_compile = '2037-02-03 04:05:06' WHERE name = 'old1'");
  const auto forgotten = catalog::care::forget_silent(*connection, silent->front());
  REQUIRE(forgotten);
  CHECK(forgotten->hosts == 0);
  CHECK(count(*db, "hosts") == "3");
}

TEST_CASE("a silent row beside a fresh one of the same name forgets nobody") {
  const auto db = make_catalog_database();
  fill(*db);
  db->run("INSERT INTO hosts (name, last_compile) VALUES ('web1', '2001-02-03 04:05:06')");
  CHECK(expire(*db, 30 * kDay).empty());
  CHECK(count(*db, "hosts") == "3");
}

TEST_CASE("when nothing was stored for long, nobody counts as silent") {
  const auto db = make_catalog_database();
  fill(*db);
  db->run("UPDATE fact_values SET updated_at = '2001-02-03 04:05:06'");
  db->run("UPDATE hosts SET last_compile = '2001-02-03 04:05:06'");
  CHECK(expire(*db, 30 * kDay).empty());
  db->run("UPDATE hosts SET last_compile = NULL");
  CHECK(expire(*db, 30 * kDay).empty());
}

TEST_CASE("types of Puppet that can be absent are known") {
  for (const auto* type : {"File", "Sshkey", "Nagios_host", "Cron", "Zpool", "Computer"})
    CHECK(catalog::care::has_ensure(type));
  for (const auto* type : {"Exec", "Notify", "Class", "Web::Site", "file"})
    CHECK_FALSE(catalog::care::has_ensure(type));
}

}  // namespace stompbox::contract

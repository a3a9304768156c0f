// The twenty rules of the database contract (facts 5.4), as far as a store can keep them; 9 and 10
// are read_catalog's, 16 and 18 MySQL's alone.

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/contract/catalog_database.h"

namespace stompbox::contract {
namespace {

using catalog::SaveStatus;
using Texts = std::vector<std::string>;

constexpr const char* kPuppetTables[] = {
    "resources",  "source_files", "resource_tags", "puppet_tags", "hosts",
    "fact_names", "fact_values",  "param_values",  "param_names",
};

catalog::Catalog web01() {
  return catalog_of(
      "web01.example.com",
      {resource("Class", "Main", {}, {"class"}),
       resource("File", "/etc/motd", {{"mode", {"0644"}}, {"owner", {"root"}}}, {"file", "class"}),
       exported(
           resource("Nagios_host", "web01", {{"ensure", {"present"}}}, {"nagios_host", "web01"}))});
}

SaveStatus status_of(catalog::CatalogStore& store, const catalog::Catalog& catalog) {
  const auto outcome = save(store, catalog);
  INFO(outcome.error.text);
  CHECK(outcome.error.text.empty());
  return outcome.status;
}

}  // namespace

TEST_CASE("rule 1: exported is stored in the database's own form, never NULL") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  CHECK(cell(*db, "SELECT exported FROM resources WHERE restype = 'Nagios_host'") ==
        db->flag(true));
  CHECK(cell(*db, "SELECT exported FROM resources WHERE restype = 'File'") == db->flag(false));

  SUBCASE("a NULL that somebody left is mended") {
    db->run("UPDATE resources SET exported = NULL");
    REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
    CHECK(cell(*db, "SELECT count(*) FROM resources WHERE exported IS NULL") == "0");
  }
  SUBCASE("it follows the catalog") {
    auto catalog = web01();
    catalog.resources[2].exported = false;
    REQUIRE(status_of(*store, catalog) == SaveStatus::kStored);
    CHECK(cell(*db, "SELECT exported FROM resources WHERE restype = 'Nagios_host'") ==
          db->flag(false));
  }
}

TEST_CASE("rule 2: restype is stored exactly as in the catalog, one of other case is replaced") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  db->run("UPDATE resources SET restype = 'nagios_host' WHERE restype = 'Nagios_host'");
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  CHECK(column(*db, "SELECT restype FROM resources ORDER BY restype") ==
        Texts{"Class", "File", "Nagios_host"});
}

TEST_CASE("rule 3: no column is added to Puppet's tables; ours may all be left out") {
  for (const SchemaAge age : {SchemaAge::kPuppet025, SchemaAge::kPuppet26, SchemaAge::kPuppet38}) {
    const auto db = make_catalog_database(age);
    std::vector<Texts> before, after;
    using Columns = CatalogDatabase::Columns;
    for (const char* table : kPuppetTables)
      before.push_back(db->columns(table, Columns::kAll));
    const auto store = db->store({});
    REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
    for (const char* table : kPuppetTables)
      after.push_back(db->columns(table, Columns::kAll));
    CHECK(before == after);
    CHECK(db->columns("stompbox_nodes", Columns::kRequired) == Texts{});
  }
}

TEST_CASE("rule 3: a schema of ours has the columns of Puppet 3.8.7, in its order") {
  const auto ours = make_catalog_database();
  const auto puppets = make_catalog_database(SchemaAge::kPuppet38);
  const auto store = ours->store({});
  for (const char* table : kPuppetTables) {
    using Columns = CatalogDatabase::Columns;
    CHECK(ours->columns(table, Columns::kAll) == puppets->columns(table, Columns::kAll));
    CHECK(ours->columns(table, Columns::kRequired) == puppets->columns(table, Columns::kRequired));
  }
}

TEST_CASE("rule 4: every resource belongs to an existing host") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  const std::string orphans =
      "SELECT count(*) FROM resources WHERE host_id IS NULL"
      " OR host_id NOT IN (SELECT id FROM hosts)";
  CHECK(cell(*db, orphans) == "0");
  db->run("DELETE FROM hosts");
  CHECK(cell(*db, orphans) == "3");
  // The host is made anew, with rows of its own.
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  CHECK(cell(*db, "SELECT count(*) FROM resources r JOIN hosts h ON h.id = r.host_id") == "3");
}

TEST_CASE("rule 5: of two rows for one type and title the newest stays, with its own children") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  db->run(
      "INSERT INTO resources (title, restype, host_id, exported)"
      " SELECT title, restype, host_id, exported FROM resources WHERE restype = 'File'");
  const std::string newest = cell(*db, "SELECT max(id) FROM resources");
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  CHECK(cell(*db, "SELECT id FROM resources WHERE restype = 'File'") == newest);
  CHECK(parameters_of(*db, "/etc/motd") == Texts{"mode=0644", "owner=root"});
  CHECK(cell(*db, "SELECT count(*) FROM param_values") == "3");
  CHECK(cell(*db, "SELECT count(*) FROM resource_tags") == "5");
}

TEST_CASE("rule 6: there is one hosts row per name, and the name is exactly the certname") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  REQUIRE(save(*store, facts_of("web01.example.com", {{"kernel", {"Linux"}}})).status ==
          SaveStatus::kStored);
  REQUIRE(status_of(*store, catalog_of("WEB01.example.com", {})) == SaveStatus::kStored);
  CHECK(column(*db, "SELECT name FROM hosts ORDER BY id") ==
        Texts{"web01.example.com", "WEB01.example.com"});
}

TEST_CASE("rule 6: twin rows of a host that others left get no third, and keep no resources") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  db->run("INSERT INTO hosts (name) VALUES ('web01.example.com')");
  const std::string twin = cell(*db, "SELECT max(id) FROM hosts");
  db->run(
      "INSERT INTO resources (title, restype, host_id, exported) VALUES ('web01', 'Nagios_host',"
      " " +
      twin + ", '" + db->flag(true) + "')");
  const auto outcome = save(*store, web01());
  CHECK(outcome.status == SaveStatus::kStored);
  CHECK(outcome.warnings.size() == 1);
  CHECK(cell(*db, "SELECT count(*) FROM hosts") == "2");
  CHECK(cell(*db, "SELECT count(*) FROM resources WHERE host_id = " + twin) == "0");
  CHECK(cell(*db, "SELECT count(*) FROM resources") == "3");
  CHECK(save(*store, web01()).status == SaveStatus::kUnchanged);
}

TEST_CASE("rule 7: a name stands once in its table, and is never deleted") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  const auto a = catalog_of("a", {resource("File", "/a", {{"mode", {"1"}}}, {"one", "two"})});
  auto b = catalog_of("b", {resource("File", "/b", {{"mode", {"2"}}}, {"two", "three"})});
  b.resources[0].file = "/site.pp";
  REQUIRE(status_of(*store, a) == SaveStatus::kStored);
  REQUIRE(status_of(*store, b) == SaveStatus::kStored);
  REQUIRE(status_of(*store, catalog_of("b", {})) == SaveStatus::kStored);
  CHECK(column(*db, "SELECT name FROM puppet_tags ORDER BY name") == Texts{"one", "three", "two"});
  CHECK(column(*db, "SELECT name FROM param_names") == Texts{"mode"});
  CHECK(column(*db, "SELECT filename FROM source_files ORDER BY id") == Texts{"NULL", "/site.pp"});
}

TEST_CASE("rule 7: a name that a master created meanwhile is used, not created again") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  db->run("INSERT INTO param_names (name) VALUES ('group')");
  db->run("INSERT INTO puppet_tags (name) VALUES ('late')");
  auto catalog = web01();
  catalog.resources[1].parameters.push_back({"group", {"root"}});
  catalog.resources[1].tags.push_back("late");
  REQUIRE(status_of(*store, catalog) == SaveStatus::kStored);
  CHECK(cell(*db, "SELECT count(*) FROM param_names WHERE name = 'group'") == "1");
  CHECK(cell(*db, "SELECT count(*) FROM puppet_tags WHERE name = 'late'") == "1");
}

TEST_CASE("rule 7: names that others deleted or renumbered are not used from memory (facts 4.7)") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  SUBCASE("deleted") {
    db->run("DELETE FROM param_names WHERE name = 'mode'");
    db->run("DELETE FROM puppet_tags WHERE name = 'file'");
  }
  SUBCASE("renumbered") {
    db->run("UPDATE param_names SET id = id + 100 WHERE name = 'mode'");
    db->run("UPDATE puppet_tags SET id = id + 100 WHERE name = 'file'");
  }
  SUBCASE("its id is another name's now") {
    db->run("UPDATE param_names SET name = 'other' WHERE name = 'mode'");
    db->run("UPDATE puppet_tags SET name = 'other' WHERE name = 'file'");
  }
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  CHECK(parameters_of(*db, "/etc/motd") == Texts{"mode=0644", "owner=root"});
  CHECK(tags_of(*db, "/etc/motd") == Texts{"class", "file"});
  CHECK(cell(*db, "SELECT count(*) FROM param_values") == "3");
}

TEST_CASE("rule 7: of a name's twin rows the older one is used, as a master's own look-up does") {
  const auto db = make_catalog_database(SchemaAge::kPuppet38);
  db->run("INSERT INTO param_names (name) VALUES ('mode'), ('mode')");
  const auto store = db->store({});
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  const std::string used = "SELECT param_name_id FROM param_values WHERE value = '0644'";
  CHECK(cell(*db, used) == "1");
  SUBCASE("a value under the younger one moves") {
    db->run("UPDATE param_values SET param_name_id = 2 WHERE value = '0644'");
    REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
    CHECK(cell(*db, used) == "1");
  }
  SUBCASE("until the older one is deleted") {
    db->run("UPDATE param_values SET param_name_id = 2 WHERE value = '0644'");
    db->run("DELETE FROM param_names WHERE id = 1");
    REQUIRE(status_of(*store, web01()) == SaveStatus::kUnchanged);
    CHECK(cell(*db, used) == "2");
  }
}

TEST_CASE("rule 8: the elements of an array are rows by ascending id, also after a change") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  auto catalog = catalog_of("a", {resource("File", "/a", {{"require", {"x", "y", "z"}}})});
  REQUIRE(status_of(*store, catalog) == SaveStatus::kStored);
  CHECK(parameters_of(*db, "/a") == Texts{"require=x", "require=y", "require=z"});
  for (const Texts& values : {Texts{"z", "y", "x"}, Texts{"y", "y"}, Texts{"n", "y", "y"}}) {
    catalog.resources[0].parameters[0].values = values;
    REQUIRE(status_of(*store, catalog) == SaveStatus::kStored);
    CHECK(column(*db, "SELECT value FROM param_values ORDER BY id") == values);
  }
}

TEST_CASE("rules 9 to 11: values are stored as they are, an empty one as an empty text") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  const auto catalog = catalog_of(
      "a",
      {resource("File", "/a", {{"a", {"--- {\"k\": \"v\"}"}}, {"b", {""}}, {"c", {"schön ✓"}}})});
  REQUIRE(status_of(*store, catalog) == SaveStatus::kStored);
  CHECK(parameters_of(*db, "/a") == Texts{"a=--- {\"k\": \"v\"}", "b=", "c=schön ✓"});
  CHECK(cell(*db, "SELECT count(*) FROM param_values WHERE value IS NULL") == "0");
  CHECK(status_of(*store, catalog) == SaveStatus::kUnchanged);
}

TEST_CASE("rule 12: a tag stands once per resource, whatever others left") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  db->run(
      "INSERT INTO resource_tags (resource_id, puppet_tag_id)"
      " SELECT resource_id, puppet_tag_id FROM resource_tags");
  db->run("INSERT INTO resource_tags (resource_id, puppet_tag_id) SELECT id, 4711 FROM resources");
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  CHECK(tags_of(*db, "/etc/motd") == Texts{"class", "file"});
  CHECK(cell(*db, "SELECT count(*) FROM resource_tags") == "5");
}

TEST_CASE("rule 13: a catalog that fails half-way leaves the former one whole, others are stored") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  db->refuse_value("poison");
  auto bad = web01();
  bad.resources.erase(bad.resources.begin() + 1);
  bad.resources.push_back(resource("File", "/new", {{"good", {"1"}}, {"bad", {"poison"}}}, {"n"}));
  const auto before = catalog_of("before", {resource("File", "/b", {{"mode", {"1"}}})});
  const auto after = catalog_of("after", {resource("File", "/a", {{"good", {"2"}}}, {"n"})});
  const std::vector<catalog::CatalogSave> saves = {
      {&before, {"other", 1}}, {&bad, {"other", 2}}, {&after, {"other", 3}}};

  const auto outcomes = store->save(saves);
  REQUIRE(outcomes.size() == 3);
  CHECK(outcomes[0].status == SaveStatus::kStored);
  CHECK(outcomes[1].status == SaveStatus::kPermanent);
  CHECK(outcomes[1].error.code == storage::ErrorCode::kInvalid);
  CHECK(outcomes[2].status == SaveStatus::kStored);
  CHECK(column(*db, "SELECT title FROM resources ORDER BY title") ==
        Texts{"/a", "/b", "/etc/motd", "Main", "web01"});
  CHECK(parameters_of(*db, "/etc/motd") == Texts{"mode=0644", "owner=root"});
  // Names that were made and undone are made again where they are needed.
  CHECK(parameters_of(*db, "/a") == Texts{"good=2"});
  CHECK(tags_of(*db, "/a") == Texts{"n"});
  CHECK(status_of(*store, web01()) == SaveStatus::kUnchanged);
}

TEST_CASE("rule 14: ids are the database's own, also when a master inserts in between") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  db->run("INSERT INTO resources (title, restype, host_id) VALUES ('theirs', 'File', 4711)");
  const std::string theirs = cell(*db, "SELECT max(id) FROM resources");
  db->run("DELETE FROM resources WHERE id = " + theirs);
  auto catalog = web01();
  catalog.resources.push_back(resource("File", "/next"));
  REQUIRE(status_of(*store, catalog) == SaveStatus::kStored);
  CHECK(std::stoll(cell(*db, "SELECT id FROM resources WHERE title = '/next'")) >
        std::stoll(theirs));
}

TEST_CASE("rule 17: names and values up to the limits of the columns are stored whole") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  const std::string name(255, 'n'), value(65'535, 'v');
  auto catalog = catalog_of(name, {resource("File", "/a", {{name, {value}}}, {name})});
  catalog.resources[0].file = name;
  REQUIRE(status_of(*store, catalog) == SaveStatus::kStored);
  CHECK(parameters_of(*db, "/a") == Texts{name + "=" + value});
  CHECK(cell(*db, "SELECT filename FROM source_files") == name);
  CHECK(status_of(*store, catalog) == SaveStatus::kUnchanged);
}

TEST_CASE("rule 19: facts that a master writes are left alone, with a warning") {
  for (const std::string name : {"_timestamp", "--- :_timestamp\n"}) {
    const auto db = make_catalog_database(SchemaAge::kPuppet38);
    db->run("INSERT INTO hosts (name) VALUES ('a')");
    db->run("INSERT INTO fact_names (name) VALUES ('" + name + "'), ('kernel')");
    db->run(
        "INSERT INTO fact_values (value, fact_name_id, host_id) VALUES ('now', 1, 1),"
        " ('Linux', 2, 1)");
    const auto store = db->store({});
    const auto outcome = save(*store, facts_of("a", {{"kernel", {"FreeBSD"}}}));
    CHECK(outcome.status == SaveStatus::kSkipped);
    CHECK(outcome.warnings.size() == 1);
    CHECK(column(*db, "SELECT value FROM fact_values ORDER BY id") == Texts{"now", "Linux"});
  }
}

TEST_CASE("rule 19: we never write the fact by which a master is known") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  const auto facts = facts_of("a", {{"_timestamp", {"now"}}, {"kernel", {"Linux"}}});
  CHECK(save(*store, facts).status == SaveStatus::kStored);
  CHECK(save(*store, facts).status == SaveStatus::kUnchanged);
  CHECK(column(*db, "SELECT name FROM fact_names") == Texts{"kernel"});
}

TEST_CASE("rule 20: no unique index is added") {
  const auto db = make_catalog_database(SchemaAge::kPuppet26);
  const auto before = db->unique_indices();
  const auto store = db->store({});
  REQUIRE(status_of(*store, web01()) == SaveStatus::kStored);
  CHECK(db->unique_indices() == before);
}

}  // namespace stompbox::contract

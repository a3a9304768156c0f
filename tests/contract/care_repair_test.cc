#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "storage/catalog/care/check.h"
#include "storage/catalog/care/repair.h"
#include "tests/contract/care_database.h"

namespace stompbox::contract {
namespace {

using catalog::care::CheckRule;
using catalog::care::RepairMode;
using catalog::care::RepairOptions;
using catalog::care::RepairReport;

std::vector<std::string> names_of(const catalog::care::Findings& findings) {
  std::vector<std::string> names;
  for (const auto& [rule, finding] : findings.by_rule())
    names.emplace_back(catalog::care::text_of(rule).name);
  return names;
}

catalog::care::CheckReport check(CatalogDatabase& db) {
  CountingWatch watch;
  const auto connection = connect(db, catalog::ConnectionUse::kRead);
  auto report = catalog::care::check_database(*connection, {}, watch);
  if (!report) FAIL(report.error().text);
  return *report;
}

std::vector<std::string> broken(CatalogDatabase& db) {
  return names_of(check(db).findings);
}

RepairReport repair(CatalogDatabase& db, RepairOptions options = {.mode = RepairMode::kApply}) {
  CountingWatch watch;
  const auto connection = connect(db);
  auto report = catalog::care::repair_database(*connection, options, watch);
  if (!report) FAIL(report.error().text);
  return *report;
}

std::string id_of(CatalogDatabase& db, const std::string& title) {
  return cell(db, "SELECT id FROM resources WHERE title = '" + title + "'");
}

// Values of the parameter `owner`, which both nodes have.
std::vector<std::string> owners(CatalogDatabase& db) {
  return column(db,
                "SELECT v.value FROM param_values v JOIN param_names n ON n.id = v.param_name_id"
                " WHERE n.name = 'owner' ORDER BY v.value");
}

struct Damage {
  std::string rule;
  std::string sql;
};

const std::vector<Damage>& damages() {
  static const std::vector<Damage> all = {
      {"exported-form", "UPDATE resources SET exported = NULL WHERE title = 'web1'"},
      {"type-case", "UPDATE resources SET restype = 'nagios_service' WHERE title = 'http-web1'"},
      {"lost-resources", "UPDATE resources SET host_id = 999 WHERE title = 'http-web1'"},
      {"lost-resources", "UPDATE resources SET host_id = NULL WHERE title = 'http-web1'"},
      {"twin-resources",
       "INSERT INTO resources (title, restype, host_id, exported) SELECT title, restype, host_id,"
       " exported FROM resources WHERE title = 'web1'"},
      {"twin-hosts", "INSERT INTO hosts (name) VALUES ('web1')"},
      {"unquoted-texts",
       "UPDATE param_values SET value = 'one\n--- two\nthree' WHERE value = 'root'"},
      {"tag-case", "UPDATE puppet_tags SET name = 'Web' WHERE name = 'web'"},
      {"twin-tags",
       "INSERT INTO resource_tags (resource_id, puppet_tag_id) SELECT resource_id, puppet_tag_id"
       " FROM resource_tags WHERE id = 1"},
      {"lost-parameters", "UPDATE param_values SET resource_id = 999 WHERE value = 'root'"},
      {"nameless-parameters", "UPDATE param_values SET param_name_id = 999 WHERE value = 'root'"},
      {"lost-tags", "UPDATE resource_tags SET resource_id = 999 WHERE id = 1"},
      {"nameless-tags", "UPDATE resource_tags SET puppet_tag_id = 999 WHERE id = 1"},
      {"lost-facts", "UPDATE fact_values SET host_id = 999 WHERE id = 1"},
      {"nameless-facts", "UPDATE fact_values SET fact_name_id = 999 WHERE id = 1"},
      {"lost-files", "UPDATE resources SET source_file_id = 999 WHERE title = 'web1'"},
      {"environment-objects",
       "UPDATE hosts SET environment = '--- !ruby/object:Puppet::Node::Environment \nname:"
       " :production\n' WHERE name = 'web1'"},
  };
  return all;
}

}  // namespace

TEST_CASE("a database that only we have written breaks no rule") {
  const auto db = make_catalog_database();
  fill(*db);
  const auto report = check(*db);
  CHECK(names_of(report.findings).empty());
  CHECK(report.hosts == 2);
  CHECK(report.resources == 6);
}

TEST_CASE("each kind of damage is found, shown by a dry run, mended once and then gone") {
  for (const Damage& damage : damages()) {
    CAPTURE(damage.sql);
    const auto db = make_catalog_database();
    fill(*db);
    db->run(damage.sql);
    const auto before = meaning_of(*db);
    CHECK(broken(*db) == std::vector{damage.rule});

    const RepairReport dry = repair(*db, {});
    CHECK(names_of(dry.findings) == std::vector{damage.rule});
    CHECK(meaning_of(*db) == before);

    const RepairReport done = repair(*db);
    CHECK(names_of(done.findings) == std::vector{damage.rule});
    CHECK(broken(*db).empty());
    CHECK(names_of(repair(*db).findings).empty());
  }
}

TEST_CASE("damage of all kinds at once is mended in one run") {
  const auto db = make_catalog_database(SchemaAge::kPuppet025);
  fill(*db);
  for (const Damage& damage : damages())
    db->run(damage.sql);
  CHECK(broken(*db).size() == 10);
  static_cast<void>(repair(*db));
  CHECK(broken(*db).empty());
}

TEST_CASE("a resource that is not exported by its form is exported when its value means true") {
  const auto db = make_catalog_database();
  if (!is_sqlite(*db)) return;  // elsewhere a boolean column holds numbers only
  fill(*db);
  db->run("UPDATE resources SET exported = 1 WHERE title = 'web1'");
  static_cast<void>(repair(*db));
  CHECK(cell(*db, "SELECT exported FROM resources WHERE title = 'web1'") == "t");
}

TEST_CASE("bytes that are not UTF-8 are taken for Latin-1") {
  const auto db = make_catalog_database();
  if (!is_sqlite(*db)) return;  // a server refuses them in a column of UTF-8
  fill(*db);
  db->run("UPDATE param_values SET value = CAST(x'63616671e9' AS TEXT) WHERE value = 'root'");
  CHECK(broken(*db) == std::vector<std::string>{"foreign-bytes"});
  static_cast<void>(repair(*db));
  CHECK(owners(*db) == std::vector<std::string>(2, "cafq\xc3\xa9"));
}

TEST_CASE("what only a person can mend is found and left alone") {
  const auto db = make_catalog_database();
  fill(*db);
  db->run("ALTER TABLE resources ADD COLUMN colour varchar(20)");
  CHECK(broken(*db).empty());
  db->run("UPDATE resources SET colour = 'red' WHERE title = 'web1'");
  db->run("CREATE UNIQUE INDEX by_name ON fact_names (name)");
  CHECK(broken(*db) == std::vector<std::string>{"extra-columns", "unique-indices"});
  static_cast<void>(repair(*db));
  CHECK(broken(*db) == std::vector<std::string>{"extra-columns", "unique-indices"});
}

TEST_CASE("texts as long as their column are probably cut") {
  const auto db = make_catalog_database(SchemaAge::kPuppet38);
  if (is_sqlite(*db)) return;  // it has no limits
  fill(*db);
  db->run("UPDATE param_values SET value = repeat('x', 65535) WHERE value = 'root'");
  db->run("UPDATE fact_names SET name = repeat('y', 255) WHERE name = 'os'");
  const auto report = check(*db);
  CHECK(report.findings.count(CheckRule::kCutTexts) == 3);
}

TEST_CASE("of twin resources the newest stays, with its own parameters") {
  const auto db = make_catalog_database();
  fill(*db);
  db->run(
      "INSERT INTO resources (title, restype, host_id, exported) SELECT title, restype, host_id,"
      " exported FROM resources WHERE title = 'web1'");
  db->run(
      "INSERT INTO param_values (value, param_name_id, resource_id) SELECT 'BBBB', n.id, (SELECT"
      " max(id) FROM resources) FROM param_names n WHERE n.name = 'key'");
  static_cast<void>(repair(*db));
  CHECK(parameters_of(*db, "web1") == std::vector<std::string>{"key=BBBB"});
}

TEST_CASE("values under the younger row of a name come to the oldest; the row stays for masters") {
  const auto db = make_catalog_database();
  fill(*db);
  const std::string oldest = cell(*db, "SELECT id FROM param_names WHERE name = 'owner'");
  db->run("INSERT INTO param_names (name) VALUES ('owner')");
  db->run(
      "UPDATE param_values SET param_name_id = (SELECT max(id) FROM param_names) WHERE value ="
      " 'root'");
  CHECK(broken(*db) == std::vector<std::string>{"twin-names", "twin-names-in-use"});
  const RepairReport report = repair(*db);
  CHECK(report.names_left == 1);
  CHECK(column(*db, "SELECT DISTINCT param_name_id FROM param_values WHERE value = 'root'") ==
        std::vector{oldest});
  CHECK(cell(*db, "SELECT count(*) FROM param_names WHERE name = 'owner'") == "2");
  CHECK(broken(*db) == std::vector<std::string>{"twin-names"});
}

TEST_CASE("of values under both rows of a name those that were written last stay") {
  const auto db = make_catalog_database();
  fill(*db);
  db->run("INSERT INTO param_names (name) VALUES ('owner')");
  db->run(
      "INSERT INTO param_values (value, param_name_id, resource_id) SELECT 'daemon', (SELECT"
      " max(id) FROM param_names), min(id) FROM resources WHERE title = '/etc/motd'");
  static_cast<void>(repair(*db));
  CHECK(owners(*db) == std::vector<std::string>{"daemon", "root"});
}

TEST_CASE("rows of names are deleted only on the word that all masters are stopped") {
  const auto db = make_catalog_database();
  fill(*db);
  for (const std::string table : {"param_names", "puppet_tags", "fact_names"}) {
    db->run("INSERT INTO " + table + " (name) SELECT name FROM " + table + " WHERE id = 1");
  }
  db->run("INSERT INTO source_files (filename) VALUES ('/etc/puppet/ssh.pp')");
  db->run(
      "UPDATE resources SET source_file_id = (SELECT max(id) FROM source_files) WHERE title ="
      " 'web2'");
  const auto before = meaning_of(*db);
  CHECK(repair(*db).names_left == 4);
  const RepairReport merged = repair(*db, {.mode = RepairMode::kApply, .merge_names = true});
  CHECK(merged.names_deleted == 4);
  CHECK(broken(*db).empty());
  CHECK(meaning_of(*db) == before);
}

TEST_CASE("of twin hosts the oldest row stays, with the latest catalog and the latest facts") {
  const auto db = make_catalog_database();
  fill(*db);
  db->run(
      "INSERT INTO hosts (name, last_compile, ip) VALUES ('web1', '2037-01-01 00:00:00',"
      " '10.9.9.9')");
  db->run(
      "INSERT INTO resources (title, restype, host_id, exported) SELECT 'newer', 'Sshkey', max(id),"
      " '" +
      db->flag(true) + "' FROM hosts");
  static_cast<void>(repair(*db));
  CHECK(column(*db, "SELECT id FROM hosts WHERE name = 'web1'") == std::vector<std::string>{"1"});
  CHECK(column(*db, "SELECT title FROM resources WHERE host_id = 1") ==
        std::vector<std::string>{"newer"});
  CHECK(cell(*db, "SELECT ip FROM hosts WHERE id = 1") == "10.9.9.9");
  CHECK(cell(*db, "SELECT count(*) FROM fact_values WHERE host_id = 1") == "2");
  CHECK(broken(*db).empty());
}

TEST_CASE("a text that a reader would take for YAML is quoted, other texts are not touched") {
  const auto db = make_catalog_database();
  fill(*db);
  db->run("UPDATE param_values SET value = '# head\n--- \"do\" not edit\nx' WHERE value = 'root'");
  db->run("UPDATE param_values SET value = '--- {\"a\": 1}' WHERE value = 'AAAA'");
  static_cast<void>(repair(*db));
  CHECK(owners(*db) == std::vector<std::string>(2, "--- \"# head\\n--- \\\"do\\\" not edit\\nx\""));
  CHECK(parameters_of(*db, "web1").at(1) == "key=--- {\"a\": 1}");
}

TEST_CASE("after a repair the next save of the node compares all rows") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  auto catalog = web_catalog("web1");
  catalog.digest = "sixteen bytes...";
  CHECK(save(*store, catalog).status == catalog::SaveStatus::kStored);
  CHECK(save(*store, catalog).status == catalog::SaveStatus::kUnchanged);
  db->run("UPDATE param_values SET value = 'one\n--- two' WHERE value = 'root'");
  static_cast<void>(repair(*db));
  CHECK(save(*store, catalog).status == catalog::SaveStatus::kStored);
  CHECK(parameters_of(*db, "/etc/motd").at(1) == "owner=root");
}

TEST_CASE("thinning leaves what is exported, and the facts") {
  const auto db = make_catalog_database();
  fill(*db);
  const RepairReport dry = repair(*db, {.thin = true});
  CHECK(dry.thinned == 2);
  CHECK(cell(*db, "SELECT count(*) FROM resources") == "6");
  static_cast<void>(repair(*db, {.mode = RepairMode::kApply, .thin = true}));
  CHECK(column(*db, "SELECT title FROM resources ORDER BY title") ==
        std::vector<std::string>{"http-web1", "http-web2", "web1", "web2"});
  CHECK(cell(*db, "SELECT count(*) FROM fact_values") == "4");
  CHECK(broken(*db).empty());
}

TEST_CASE("widening makes room for long values, once, and changes nothing else") {
  const auto db = make_catalog_database(SchemaAge::kPuppet38);
  if (is_sqlite(*db)) return;  // it has no limits
  fill(*db);
  const auto before = meaning_of(*db);
  const RepairOptions options = {.mode = RepairMode::kApply, .widen = true};
  CHECK_FALSE(repair(*db, options).widenings.empty());
  CHECK(repair(*db, options).widenings.empty());
  CHECK(meaning_of(*db) == before);
}

TEST_CASE("a database that only Puppet has written can be checked and mended") {
  const auto db = make_catalog_database(SchemaAge::kPuppet26);
  db->run("INSERT INTO hosts (name) VALUES ('old')");
  db->run("INSERT INTO resources (title, restype, host_id, exported) VALUES ('a', 'file', 1, '" +
          db->flag(false) + "')");
  CHECK(broken(*db) == std::vector<std::string>{"type-case"});
  static_cast<void>(repair(*db));
  CHECK(broken(*db).empty());
  CHECK(cell(*db, "SELECT restype FROM resources WHERE id = " + id_of(*db, "a")) == "File");
}

TEST_CASE("only texts that come back cut or changed count as garbled") {
  using catalog::care::reads_as_garbled_yaml;
  for (const std::string_view text :
       {"plain", "---", "a --- b", "--- x", "--- :main\n", "--- \n  a: 1\n", "--- {\"a\": 1}",
        "--- \"x\n--- y\"", "--- !ruby/object:A\nb: c\n", "--- a: 1\nb: 2\n", "---\nx",
        "--- \"- - \\n\""}) {
    CAPTURE(text);
    CHECK_FALSE(reads_as_garbled_yaml(text.find("\n--- ") == std::string_view::npos ? text : "x"));
  }
  for (const std::string_view text : {"a\n--- b", "--- do not edit ---\nuser=x\n", "\n--- \n"}) {
    CAPTURE(text);
    CHECK(reads_as_garbled_yaml(text));
  }
}

}  // namespace stompbox::contract

// What a catalog save does beside the twenty rules: as little as it can.

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/contract/catalog_database.h"

namespace stompbox::contract {
namespace {

using catalog::SaveStatus;
using Texts = std::vector<std::string>;

catalog::Catalog web01() {
  auto made = catalog_of(
      "web01",
      {resource("File", "/etc/motd", {{"mode", {"0644"}}, {"owner", {"root"}}}, {"file"}),
       exported(resource("Nagios_host", "web01", {{"ensure", {"present"}}, {"parents", {"a", "b"}}},
                         {"nagios_host", "web01"}))});
  made.digest = "0123456789abcdef";
  return made;
}

// Every row of a catalog with its times, so that any write shows.
std::vector<CatalogDatabase::Row> all_rows(CatalogDatabase& db) {
  std::vector<CatalogDatabase::Row> all;
  for (const char* table : {"resources", "param_values", "resource_tags", "param_names",
                            "puppet_tags", "source_files"}) {
    const auto rows = db.rows("SELECT * FROM " + std::string(table) + " ORDER BY id");
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

std::string host_cell(CatalogDatabase& db, const std::string& column) {
  return cell(db, "SELECT " + column + " FROM hosts WHERE name = 'web01'");
}

bool is_timestamp(const std::string& text) {
  constexpr std::string_view kForm = "dddd-dd-dd dd:dd:dd";
  if (text.size() < kForm.size()) return false;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == 'd' ? !digit : text[i] != kForm[i]) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("an unchanged catalog touches the hosts row only, with digest and without") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  auto catalog = web01();
  SUBCASE("with digest") {}
  SUBCASE("without") {
    catalog.digest.clear();
  }
  SUBCASE("in another order") {
    REQUIRE(save(*store, catalog).status == SaveStatus::kStored);
    catalog.digest = "shuffled";
    std::ranges::reverse(catalog.resources);
    for (auto& resource : catalog.resources) {
      std::ranges::reverse(resource.parameters);
      std::ranges::reverse(resource.tags);
    }
  }
  static_cast<void>(save(*store, catalog));
  const auto before = all_rows(*db);
  db->run("UPDATE hosts SET last_compile = NULL");
  CHECK(save(*store, catalog).status == SaveStatus::kUnchanged);
  CHECK(all_rows(*db) == before);
  CHECK(is_timestamp(host_cell(*db, "last_compile")));
}

TEST_CASE("in Puppet's own database rows carry the local time of their writing") {
  const auto db = make_catalog_database(SchemaAge::kPuppet38);
  const auto store = db->store({});
  REQUIRE(save(*store, web01()).status == SaveStatus::kStored);
  for (const char* table : {"hosts", "resources", "param_values", "resource_tags", "param_names",
                            "puppet_tags", "source_files"}) {
    for (const auto& row : db->rows("SELECT updated_at, created_at FROM " + std::string(table))) {
      CHECK(is_timestamp(row[0].value_or("")));
      CHECK(is_timestamp(row[1].value_or("")));
    }
  }
}

TEST_CASE("only what differs is written") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  auto catalog = web01();
  REQUIRE(save(*store, catalog).status == SaveStatus::kStored);
  const auto kept = db->rows("SELECT * FROM param_values WHERE value <> '0644' ORDER BY id");
  const auto resources = db->rows("SELECT * FROM resources ORDER BY id");
  catalog.digest = "changed";
  catalog.resources[0].parameters[0].values = {"0600"};
  CHECK(save(*store, catalog).status == SaveStatus::kStored);
  CHECK(parameters_of(*db, "/etc/motd") == Texts{"mode=0600", "owner=root"});
  CHECK(db->rows("SELECT * FROM param_values WHERE value <> '0600' ORDER BY id") == kept);
  CHECK(db->rows("SELECT * FROM resources ORDER BY id") == resources);
}

TEST_CASE("parameters, tags and resources come and go with the catalog") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  auto catalog = web01();
  REQUIRE(save(*store, catalog).status == SaveStatus::kStored);
  catalog.digest = "second";
  catalog.resources[0].parameters = {{"owner", {"root"}}, {"content", {"hello"}}};
  catalog.resources[0].tags = {"fresh"};
  catalog.resources[1] = resource("Package", "vim", {{"ensure", {"latest"}}}, {"package"});
  CHECK(save(*store, catalog).status == SaveStatus::kStored);
  CHECK(parameters_of(*db, "/etc/motd") == Texts{"content=hello", "owner=root"});
  CHECK(tags_of(*db, "/etc/motd") == Texts{"fresh"});
  CHECK(column(*db, "SELECT title FROM resources ORDER BY id") == Texts{"/etc/motd", "vim"});
  CHECK(cell(*db, "SELECT count(*) FROM param_values") == "3");
  CHECK(cell(*db, "SELECT count(*) FROM resource_tags") == "2");
}

TEST_CASE("a missing file is the source_files row without a name, found or made once") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(save(*store, web01()).status == SaveStatus::kStored);
  REQUIRE(save(*store, catalog_of("b", {resource("File", "/b")})).status == SaveStatus::kStored);
  CHECK(column(*db, "SELECT filename FROM source_files") == Texts{"NULL"});
  CHECK(cell(*db, "SELECT count(*) FROM resources WHERE source_file_id IS NULL") == "0");
}

TEST_CASE("line and file follow the catalog where it has them, and are never reset") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  auto catalog = web01();
  catalog.digest.clear();
  const auto stored = [&] {
    return db
        ->rows(
            "SELECT r.line, f.filename FROM resources r JOIN source_files f"
            " ON f.id = r.source_file_id WHERE title = '/etc/motd'")
        .at(0);
  };
  catalog.resources[0].line = 7;
  catalog.resources[0].file = "/a.pp";
  REQUIRE(save(*store, catalog).status == SaveStatus::kStored);
  CHECK(stored() == CatalogDatabase::Row{"7", "/a.pp"});
  catalog.resources[0].line = 8;
  catalog.resources[0].file = "/b.pp";
  REQUIRE(save(*store, catalog).status == SaveStatus::kStored);
  CHECK(stored() == CatalogDatabase::Row{"8", "/b.pp"});
  catalog.resources[0].line.reset();
  catalog.resources[0].file.reset();
  REQUIRE(save(*store, catalog).status == SaveStatus::kUnchanged);
  CHECK(stored() == CatalogDatabase::Row{"8", "/b.pp"});
}

TEST_CASE("what others do to the rows of a node is noticed in spite of an equal digest") {
  const auto db = make_catalog_database();
  auto store = db->store({});
  REQUIRE(save(*store, web01()).status == SaveStatus::kStored);
  SUBCASE("node clean") {
    db->run("DELETE FROM param_values");
    db->run("DELETE FROM resource_tags");
    db->run("DELETE FROM resources");
    db->run("DELETE FROM hosts");
  }
  SUBCASE("node clean, and a master that saves facts since") {
    db->run("DELETE FROM resources");
    db->run("DELETE FROM hosts");
    db->run("INSERT INTO hosts (name) VALUES ('web01')");
  }
  SUBCASE("node clean --unexport") {
    const std::string row = " FROM param_values WHERE value = 'present'";
    const auto old = db->rows("SELECT param_name_id, resource_id" + row).at(0);
    db->run("DELETE" + row);
    db->run("INSERT INTO param_values (value, param_name_id, resource_id) VALUES ('absent', " +
            *old[0] + ", " + *old[1] + ")");
  }
  SUBCASE("a repair that keeps updated_at as Puppet does") {
    db->run(
        "UPDATE param_values SET value = '0777', updated_at = '2999-01-01 00:00:00'"
        " WHERE value = '0644'");
  }
  SUBCASE("an export taken back by hand") {
    db->run("UPDATE resources SET exported = '" + db->flag(false) +
            "', updated_at = '2999-01-01 00:00:00'");
  }
  SUBCASE("a resource less") {
    db->run("DELETE FROM resources WHERE restype = 'File'");
  }
  SUBCASE("a tag less") {
    db->run("DELETE FROM resource_tags WHERE id = (SELECT min(id) FROM resource_tags)");
  }
  SUBCASE("a tag more") {
    db->run(
        "INSERT INTO resource_tags (resource_id, puppet_tag_id)"
        " SELECT min(id), 4711 FROM resources");
  }
  SUBCASE("while the store was away") {
    store.reset();
    db->run("DELETE FROM param_values WHERE value = 'root'");
    store = db->store({});
  }
  CHECK(save(*store, web01()).status == SaveStatus::kStored);
  CHECK(parameters_of(*db, "/etc/motd") == Texts{"mode=0644", "owner=root"});
  CHECK(parameters_of(*db, "web01") == Texts{"ensure=present", "parents=a", "parents=b"});
  CHECK(tags_of(*db, "web01") == Texts{"nagios_host", "web01"});
  CHECK(cell(*db,
             "SELECT count(*) FROM resources r JOIN hosts h ON h.id = r.host_id"
             " WHERE r.exported = '" +
                 db->flag(true) + "'") == "1");
  CHECK(save(*store, web01()).status == SaveStatus::kUnchanged);
}

TEST_CASE("the witness that a save leaves is the one that a later look finds") {
  const auto db = make_catalog_database();
  StoreSettings settings;
  settings.full_compare_every = 1'000;
  auto store = db->store(settings);
  auto catalog = web01();
  for (int generation = 0; generation < 4; ++generation) {
    catalog.digest = "generation " + std::to_string(generation);
    catalog.resources[0].parameters[0].values = {std::to_string(generation)};
    if (generation == 1) catalog.resources.push_back(resource("File", "/x", {}, {"x"}));
    if (generation == 2) catalog.resources.pop_back();
    if (generation == 3) catalog.resources[1].tags = {"other"};
    REQUIRE(save(*store, catalog).status == SaveStatus::kStored);
    // Were it another one, this save would compare all rows and begin to count anew.
    db->run("UPDATE hosts SET ip = '10.0.0.1'");
    REQUIRE(save(*store, catalog).status == SaveStatus::kUnchanged);
    CHECK(cell(*db, "SELECT saves_since_compare FROM stompbox_nodes") ==
          std::to_string(2 * generation + 1));
  }
}

TEST_CASE("every n-th save compares all rows, whatever the digest says") {
  const auto db = make_catalog_database();
  StoreSettings settings;
  settings.full_compare_every = 3;
  const auto store = db->store(settings);
  REQUIRE(save(*store, web01()).status == SaveStatus::kStored);
  // A change that leaves no trace in counts, ids and times.
  db->run("UPDATE param_values SET value = '0777' WHERE value = '0644'");
  CHECK(save(*store, web01()).status == SaveStatus::kUnchanged);
  CHECK(save(*store, web01()).status == SaveStatus::kUnchanged);
  CHECK(save(*store, web01()).status == SaveStatus::kStored);
  CHECK(parameters_of(*db, "/etc/motd") == Texts{"mode=0644", "owner=root"});
}

TEST_CASE("a later catalog never loses to an earlier one of the same queue store") {
  const auto db = make_catalog_database();
  auto store = db->store({});
  const auto first = catalog_of("a", {resource("File", "/first")});
  const auto second = catalog_of("a", {resource("File", "/second")});
  const auto status = [&](const catalog::Catalog& catalog, const std::string& queue,
                          std::uint64_t number) {
    const std::array saves = {catalog::CatalogSave{&catalog, {queue, number}}};
    return store->save(saves).at(0).status;
  };
  const auto stored = [&] { return column(*db, "SELECT title FROM resources"); };
  REQUIRE(status(second, "q1", 20) == SaveStatus::kStored);
  CHECK(status(first, "q1", 19) == SaveStatus::kSuperseded);
  CHECK(status(second, "q1", 20) == SaveStatus::kSuperseded);  // redelivered
  store = db->store({});
  CHECK(status(first, "q1", 19) == SaveStatus::kSuperseded);
  CHECK(stored() == Texts{"/second"});

  SUBCASE("a later one wins") {
    CHECK(status(first, "q1", 21) == SaveStatus::kStored);
  }
  SUBCASE("numbers of another store are not compared") {
    CHECK(status(first, "q2", 1) == SaveStatus::kStored);
  }
  SUBCASE("what has no store is always new") {
    CHECK(status(first, "", 0) == SaveStatus::kStored);
  }
  CHECK(stored() == Texts{"/first"});
}

TEST_CASE("a node that was cleaned does not come back by a redelivery") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  const auto catalog = web01();
  const std::array saves = {catalog::CatalogSave{&catalog, {"q", 5}}};
  REQUIRE(store->save(saves)[0].status == SaveStatus::kStored);
  db->run("DELETE FROM resources");
  db->run("DELETE FROM hosts");
  CHECK(store->save(saves)[0].status == SaveStatus::kSuperseded);
  CHECK(cell(*db, "SELECT count(*) FROM hosts") == "0");
}

TEST_CASE("two generations of a node in one call are stored in their order") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  const auto first = catalog_of("a", {resource("File", "/first"), resource("File", "/both")});
  const auto second = catalog_of("a", {resource("File", "/both"), resource("File", "/second")});
  const auto other = catalog_of("b", {resource("File", "/other")});
  const std::vector<catalog::CatalogSave> saves = {
      {&first, {"q", 1}}, {&other, {"q", 2}}, {&second, {"q", 3}}, {&first, {"q", 1}}};
  const auto outcomes = store->save(saves);
  REQUIRE(outcomes.size() == 4);
  CHECK(outcomes[0].status == SaveStatus::kStored);
  CHECK(outcomes[1].status == SaveStatus::kStored);
  CHECK(outcomes[2].status == SaveStatus::kStored);
  CHECK(outcomes[3].status == SaveStatus::kSuperseded);
  CHECK(column(*db, "SELECT title FROM resources ORDER BY title") ==
        Texts{"/both", "/other", "/second"});
}

TEST_CASE("thin: only exported resources are stored, rows of a full time stay") {
  const auto db = make_catalog_database();
  REQUIRE(save(*db->store({}), web01()).status == SaveStatus::kStored);
  StoreSettings thin;
  thin.thin = true;
  const auto store = db->store(thin);
  auto catalog = web01();
  catalog.resources.push_back(resource("File", "/ignored"));
  catalog.resources.push_back(exported(resource("Sshkey", "web01")));
  CHECK(save(*store, catalog).status == SaveStatus::kStored);
  CHECK(column(*db, "SELECT title FROM resources ORDER BY restype") ==
        Texts{"/etc/motd", "web01", "web01"});
  CHECK(save(*store, catalog).status == SaveStatus::kUnchanged);

  SUBCASE("what is exported no longer goes") {
    catalog.resources[1].exported = false;
    catalog.digest = "second";
    CHECK(save(*store, catalog).status == SaveStatus::kStored);
    CHECK(column(*db, "SELECT restype FROM resources ORDER BY restype") == Texts{"File", "Sshkey"});
  }
  SUBCASE("what is exported now takes its old row") {
    catalog.resources[0].exported = true;
    catalog.digest = "second";
    CHECK(save(*store, catalog).status == SaveStatus::kStored);
    CHECK(cell(*db, "SELECT count(*) FROM resources WHERE title = '/etc/motd'") == "1");
  }
  SUBCASE("a full store does not trust the digest of a thin one") {
    CHECK(save(*db->store({}), catalog).status == SaveStatus::kStored);
    CHECK(cell(*db, "SELECT count(*) FROM resources") == "4");
  }
}

TEST_CASE("environment is the message's, else the stored fact, else as it was") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  auto catalog = web01();
  REQUIRE(save(*store, catalog).status == SaveStatus::kStored);
  CHECK(host_cell(*db, "environment") == "NULL");
  REQUIRE(save(*store, facts_of("web01", {{"environment", {"testing"}}})).status ==
          SaveStatus::kStored);
  REQUIRE(save(*store, catalog).status == SaveStatus::kUnchanged);
  CHECK(host_cell(*db, "environment") == "testing");
  catalog.environment = "production";
  REQUIRE(save(*store, catalog).status == SaveStatus::kUnchanged);
  CHECK(host_cell(*db, "environment") == "production");
  REQUIRE(save(*store, facts_of("web01", {{"other", {"x"}}})).status == SaveStatus::kStored);
  catalog.environment.clear();
  REQUIRE(save(*store, catalog).status == SaveStatus::kUnchanged);
  CHECK(host_cell(*db, "environment") == "production");
}

TEST_CASE("YAML that old Puppets left in the environment becomes the plain name") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  db->run(
      "INSERT INTO hosts (name, environment) VALUES ('web01',"
      " '--- &id001 !ruby/object:Puppet::Node::Environment \nname: :staging\n')");
  REQUIRE(save(*store, web01()).status == SaveStatus::kStored);
  CHECK(host_cell(*db, "environment") == "staging");
}

TEST_CASE("ip is the stored fact ipaddress, whichever comes first, else as it was") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  const auto facts = facts_of("web01", {{"ipaddress", {"10.0.0.1"}}, {"kernel", {"Linux"}}});
  SUBCASE("facts first") {
    REQUIRE(save(*store, facts).status == SaveStatus::kStored);
  }
  REQUIRE(save(*store, web01()).status == SaveStatus::kStored);
  static_cast<void>(save(*store, facts));
  CHECK(host_cell(*db, "ip") == "10.0.0.1");
  db->run("UPDATE fact_values SET value = '10.0.0.2' WHERE value = '10.0.0.1'");
  REQUIRE(save(*store, web01()).status == SaveStatus::kUnchanged);
  CHECK(host_cell(*db, "ip") == "10.0.0.2");
  db->run("DELETE FROM fact_values");
  REQUIRE(save(*store, web01()).status == SaveStatus::kUnchanged);
  CHECK(host_cell(*db, "ip") == "10.0.0.2");
}

TEST_CASE("what Puppet's accidents left in the tables is tolerated and put right") {
  for (const SchemaAge age : {SchemaAge::kPuppet025, SchemaAge::kPuppet26, SchemaAge::kPuppet38}) {
    const auto db = make_catalog_database(age);
    db->run("INSERT INTO hosts (name) VALUES ('web01')");
    db->run("INSERT INTO source_files (filename) VALUES (NULL), (NULL)");
    db->run("INSERT INTO param_names (name) VALUES ('mode'), ('require')");
    db->run(
        "INSERT INTO resources (title, restype, host_id, source_file_id, exported) VALUES"
        " ('/etc/motd', 'File', 1, 99, '" +
        db->flag(false) +
        "'),"
        " ('--- :main\n', 'Class', 1, 1, NULL)");
    db->run(
        "INSERT INTO param_values (value, param_name_id, resource_id) VALUES"
        " ('--- !ruby/object:Puppet::Resource \ntype: Class\n', 2, 1), ('0644', 77, 1),"
        " ('stray', 1, 4711)");
    db->run("INSERT INTO resource_tags (resource_id, puppet_tag_id) VALUES (1, 88), (1, NULL)");
    const auto store = db->store({});
    CHECK(save(*store, web01()).status == SaveStatus::kStored);
    CHECK(parameters_of(*db, "/etc/motd") == Texts{"mode=0644", "owner=root"});
    CHECK(tags_of(*db, "/etc/motd") == Texts{"file"});
    CHECK(column(*db, "SELECT title FROM resources ORDER BY title") == Texts{"/etc/motd", "web01"});
    CHECK(cell(*db, "SELECT count(*) FROM resource_tags") == "3");
    CHECK(cell(*db, "SELECT count(*) FROM source_files") == "2");
    CHECK(save(*store, web01()).status == SaveStatus::kUnchanged);
  }
}

TEST_CASE("an outline whose whole is of another node is refused, and the others are stored") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  const auto outline = catalog_of("web01", {});
  const auto other = catalog_of("web02", {resource("File", "/etc/motd")});
  const auto read_whole = [] { return storage::Result<catalog::Catalog>(catalog_of("evil", {})); };
  const auto outcomes = store->save(
      std::vector<catalog::CatalogSave>{{&outline, {"q", 1}, 0, read_whole}, {&other, {"q", 2}}});
  REQUIRE(outcomes.size() == 2);
  CHECK(outcomes[0].status == SaveStatus::kPermanent);
  CHECK(outcomes[0].unreadable);
  CHECK(outcomes[0].error.text.find("evil") != std::string::npos);
  CHECK(outcomes[1].status == SaveStatus::kStored);
  CHECK(column(*db, "SELECT name FROM hosts") == Texts{"web02"});
}

TEST_CASE("a store that is asked whether it takes anything changes no row of Puppet's") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(save(*store, web01()).status == SaveStatus::kStored);
  const auto before = all_rows(*db);
  CHECK(store->probe());
  CHECK(all_rows(*db) == before);
  CHECK(save(*store, web01()).status == SaveStatus::kUnchanged);
}

TEST_CASE("many catalogs in one call are all stored, each with its outcome") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  std::vector<catalog::Catalog> catalogs;
  for (int i = 0; i < 300; ++i) {
    catalogs.push_back(catalog_of("node" + std::to_string(i),
                                  {resource("File", "/etc/motd", {{"mode", {"0644"}}}, {"t"})}));
  }
  std::vector<catalog::CatalogSave> saves;
  for (const auto& catalog : catalogs)
    saves.push_back({&catalog, {"q", saves.size() + 1}});
  const auto outcomes = store->save(saves);
  REQUIRE(outcomes.size() == saves.size());
  CHECK(std::ranges::all_of(
      outcomes, [](const auto& outcome) { return outcome.status == SaveStatus::kStored; }));
  CHECK(cell(*db, "SELECT count(*) FROM resources") == "300");
  CHECK(cell(*db, "SELECT count(*) FROM hosts") == "300");
}

}  // namespace stompbox::contract

// A changed catalog: only the rows of the resources that are others now are read and written, and
// the tables are the same as if all had been.

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "storage/catalog/fingerprints.h"
#include "tests/contract/catalog_database.h"

namespace stompbox::contract {
namespace {

using catalog::Catalog;
using catalog::NodeChanges;
using catalog::Resource;
using catalog::SaveStatus;
using Texts = std::vector<std::string>;

// A digest of its own for each content, as read_catalog gives it.
Catalog with_digest(Catalog catalog) {
  std::string text;
  for (const Resource& resource : catalog.resources) {
    text += resource.type + "[" + resource.title + "]" + (resource.exported ? "e" : "-") +
            (resource.line ? std::to_string(*resource.line) : "") + resource.file.value_or("-");
    for (const auto& parameter : resource.parameters) {
      text += "\n" + parameter.name;
      for (const std::string& value : parameter.values)
        text += "=" + value;
    }
    for (const std::string& tag : resource.tags)
      text += "\n#" + tag;
  }
  catalog.digest = std::to_string(std::hash<std::string>()(text));
  return catalog;
}

SaveStatus save_as(catalog::CatalogStore& store, const Catalog& catalog) {
  const auto outcome = save(store, with_digest(catalog));
  CHECK(outcome.error.text.empty());
  return outcome.status;
}

Catalog web01() {
  Catalog made = catalog_of(
      "web01",
      {resource("Class", "Main", {}, {"class"}),
       resource("File", "/etc/motd", {{"mode", {"0644"}}, {"owner", {"root"}}}, {"file", "class"}),
       exported(resource("Host", "web01", {{"ip", {"10.0.0.1"}}, {"alias", {"a", "b"}}}, {"host"})),
       resource("Package", "vim", {{"ensure", {"present"}}}, {"package"})});
  made.resources[1].file = "/site.pp";
  made.resources[1].line = 7;
  return made;
}

// Every resource of the node in full, by a reader's rules.
std::string stored_in(CatalogDatabase& db) {
  Texts lines;
  const auto found = db.reader()->resources({});
  REQUIRE(found.has_value());
  for (const auto& row : *found) {
    std::string line = row.node + " " + row.type + "[" + row.title + "] " + row.file + " " +
                       std::to_string(row.line.value_or(-1)) + (row.exported ? " exported" : "");
    for (const auto& [name, values] : row.parameters) {
      line += " " + name;
      for (const std::string& value : values)
        line += "=" + value;
    }
    for (const std::string& tag : row.tags)
      line += " #" + tag;
    lines.push_back(std::move(line));
  }
  std::ranges::sort(lines);
  std::string text;
  for (const std::string& line : lines)
    text += line + "\n";
  return text;
}

std::string stored_anew(const Catalog& catalog) {
  const auto db = make_catalog_database();
  REQUIRE(save_as(*db->store({}), catalog) == SaveStatus::kStored);
  return stored_in(*db);
}

// A change that leaves no trace in counts, ids and times: only who reads the row sees it.
void change_by_hand(CatalogDatabase& db) {
  db.run("UPDATE param_values SET value = 'by hand' WHERE value = 'present'");
}
bool is_mended(CatalogDatabase& db) {
  return parameters_of(db, "vim") == Texts{"ensure=present"};
}

Catalog with_new_mode(const std::string& mode = "0600") {
  Catalog catalog = web01();
  catalog.resources[1].parameters[0].values = {mode};
  return catalog;
}

}  // namespace

TEST_CASE("of a changed catalog only the resources that differ are read") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(save_as(*store, web01()) == SaveStatus::kStored);
  change_by_hand(*db);
  REQUIRE(save_as(*store, with_new_mode()) == SaveStatus::kStored);
  CHECK(parameters_of(*db, "/etc/motd") == Texts{"mode=0600", "owner=root"});
  CHECK_FALSE(is_mended(*db));
}

TEST_CASE("every n-th save reads all rows, changed or not") {
  const auto db = make_catalog_database();
  const auto store = db->store({.full_compare_every = 3});
  REQUIRE(save_as(*store, web01()) == SaveStatus::kStored);
  change_by_hand(*db);
  REQUIRE(save_as(*store, with_new_mode("0600")) == SaveStatus::kStored);
  REQUIRE(save_as(*store, with_new_mode("0601")) == SaveStatus::kStored);
  REQUIRE_FALSE(is_mended(*db));
  REQUIRE(save_as(*store, with_new_mode("0602")) == SaveStatus::kStored);
  CHECK(is_mended(*db));
}

TEST_CASE("whatever changes, the rows are those of a catalog that is stored anew") {
  const auto db = make_catalog_database();
  const StoreSettings settings{.full_compare_every = 1'000};
  auto store = db->store(settings);
  REQUIRE(save_as(*store, web01()) == SaveStatus::kStored);
  Catalog catalog = web01();
  auto& all = catalog.resources;
  SUBCASE("a parameter") {
    all[1].parameters[0].values = {"0600"};
  }
  SUBCASE("the order of an array") {
    all[2].parameters[1].values = {"b", "a"};
  }
  SUBCASE("a parameter less") {
    all[1].parameters.pop_back();
  }
  SUBCASE("a parameter more, of a new name") {
    all[3].parameters.push_back({"provider", {"apt"}});
  }
  SUBCASE("a tag") {
    all[1].tags[0] = "other";
  }
  SUBCASE("a tag less: the one with the highest id") {
    all[3].tags.clear();
  }
  SUBCASE("a resource less: the one with the highest ids") {
    all.pop_back();
  }
  SUBCASE("a resource less in between") {
    all.erase(all.begin() + 1);
  }
  SUBCASE("a resource more") {
    all.push_back(resource("File", "/x", {{"mode", {"1"}}}, {"file", "x"}));
  }
  SUBCASE("a title") {
    all[1].title = "/etc/issue";
  }
  SUBCASE("what is exported") {
    all[2].exported = false;
    all[1].exported = true;
  }
  SUBCASE("a line and a file") {
    all[1].line = 8;
    all[2].file = "/other.pp";
  }
  SUBCASE("everything") {
    for (Resource& resource : all)
      resource.tags.push_back("new");
  }
  SUBCASE("nothing is left") {
    all.clear();
  }
  REQUIRE(save_as(*store, catalog) == SaveStatus::kStored);
  CHECK(stored_in(*db) == stored_anew(catalog));
  // The record is right: what it says is believed by a store that has not seen the node.
  const std::string saves = "SELECT saves_since_compare FROM stompbox_nodes";
  const int before = std::stoi(cell(*db, saves));
  store = db->store(settings);
  CHECK(save_as(*store, catalog) == SaveStatus::kUnchanged);
  CHECK(std::stoi(cell(*db, saves)) == before + 1);
  Catalog next = with_new_mode("0601");
  next.resources[2].file = "/next.pp";  // one that is there already is never taken away
  REQUIRE(save_as(*store, next) == SaveStatus::kStored);
  CHECK(stored_in(*db) == stored_anew(next));
}

TEST_CASE("parameters and tags in another order are no change, and no row is read for them") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(save_as(*store, web01()) == SaveStatus::kStored);
  change_by_hand(*db);
  Catalog catalog = web01();
  std::ranges::reverse(catalog.resources);
  for (Resource& resource : catalog.resources) {
    std::ranges::reverse(resource.parameters);
    std::ranges::reverse(resource.tags);
  }
  CHECK(save_as(*store, catalog) == SaveStatus::kUnchanged);
  CHECK_FALSE(is_mended(*db));
}

TEST_CASE("what others did to a resource that has not changed is put right with one that has") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(save_as(*store, web01()) == SaveStatus::kStored);
  SUBCASE("a value taken away") {
    db->run("DELETE FROM param_values WHERE value = 'present'");
  }
  SUBCASE("a value that Puppet changed") {
    db->run(
        "UPDATE param_values SET value = 'x', updated_at = '2999-01-01 00:00:00'"
        " WHERE value = 'present'");
  }
  SUBCASE("a tag that is not ours") {
    db->run(
        "INSERT INTO resource_tags (resource_id, puppet_tag_id) SELECT r.id, t.id"
        " FROM resources r, puppet_tags t WHERE r.title = 'vim' AND t.name = 'host'");
  }
  SUBCASE("the resource is gone") {
    db->run("DELETE FROM resources WHERE title = 'vim'");
  }
  SUBCASE("a name is gone") {
    db->run("DELETE FROM param_names WHERE name = 'ensure'");
  }
  SUBCASE("a name has another id") {
    db->run("UPDATE puppet_tags SET id = id + 100 WHERE name = 'package'");
  }
  SUBCASE("a twin of the node") {
    db->run("INSERT INTO hosts (name) VALUES ('web01')");
    db->run(
        "INSERT INTO resources (title, restype, host_id, exported) SELECT 'vim', 'Package',"
        " max(id), '" +
        db->flag(false) + "' FROM hosts");
  }
  REQUIRE(save_as(*store, with_new_mode()) == SaveStatus::kStored);
  CHECK(stored_in(*db) == stored_anew(with_new_mode()));
}

TEST_CASE("fingerprints that are not to be believed mean that all rows are read") {
  const auto db = make_catalog_database();
  auto store = db->store({});
  REQUIRE(save_as(*store, web01()) == SaveStatus::kStored);
  change_by_hand(*db);
  const std::string set = "UPDATE stompbox_nodes SET fingerprints = ";
  SUBCASE("none, as an older program leaves them") {
    db->run(set + "NULL");
  }
  SUBCASE("no column, in a database of an older program") {
    db->run("ALTER TABLE stompbox_nodes DROP COLUMN fingerprints");
    store = db->store({});
  }
  SUBCASE("cut off") {
    db->run(set + "substr(fingerprints, 1, 40)");
  }
  SUBCASE("somebody else's") {
    db->run(set + "'something else, which is long enough'");
  }
  SUBCASE("of another catalog, which an older program has stored over") {
    db->run("UPDATE stompbox_nodes SET digest = 'all:of another'");
  }
  SUBCASE("of fewer resources than there are") {
    const auto row = db->rows("SELECT host_id, digest, witness FROM stompbox_nodes").at(0);
    const auto bond = catalog::fingerprint_bond(std::stoll(*row[0]), *row[1], *row[2]);
    db->run(set + "'" + catalog::to_text({{1, 1}}, bond) + "'");
  }
  SUBCASE("of rows that are not there") {
    const auto row = db->rows("SELECT host_id, digest, witness FROM stompbox_nodes").at(0);
    const auto bond = catalog::fingerprint_bond(std::stoll(*row[0]), *row[1], *row[2]);
    db->run(set + "'" + catalog::to_text({{101, 1}, {102, 2}, {103, 3}, {104, 4}}, bond) + "'");
  }
  REQUIRE(save_as(*store, with_new_mode()) == SaveStatus::kStored);
  CHECK(is_mended(*db));
  // From here on they are believed again.
  change_by_hand(*db);
  REQUIRE(save_as(*store, with_new_mode("0601")) == SaveStatus::kStored);
  CHECK_FALSE(is_mended(*db));
}

TEST_CASE(
    "thin: rows that are not exported are left alone, and one that is exported now has one row") {
  const auto db = make_catalog_database();
  REQUIRE(save_as(*db->store({}), web01()) == SaveStatus::kStored);
  const auto store = db->store({.thin = true});
  REQUIRE(save_as(*store, with_new_mode()) == SaveStatus::kUnchanged);
  Catalog catalog = with_new_mode();
  catalog.resources[1].exported = true;
  REQUIRE(save_as(*store, catalog) == SaveStatus::kStored);
  CHECK(stored_in(*db) == stored_anew(catalog));
}

TEST_CASE("people are told of a change that only adds resources") {
  const auto db = make_catalog_database();
  const auto store = db->store({});
  REQUIRE(save_as(*store, web01()) == SaveStatus::kStored);
  Catalog catalog = web01();
  catalog.resources.push_back(resource("File", "/x"));
  REQUIRE(save_as(*store, catalog) == SaveStatus::kStored);
  const auto told = db->reader()->changes("web01");
  REQUIRE(told.has_value());
  CHECK(told->changes.added_count == 1);
  REQUIRE(told->changes.changes.size() == 1);
  CHECK(told->changes.changes[0].kind == NodeChanges::Kind::kAdded);
  CHECK(told->changes.changes[0].title == "/x");
}

TEST_CASE("a hundred random changes, some by others, leave what a catalog stored anew does") {
  const auto db = make_catalog_database();
  const StoreSettings settings{.full_compare_every = 1'000};
  auto store = db->store(settings);
  std::mt19937 random(4711);
  const auto below = [&random](std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
  };
  const auto name = [&below](const std::string& kind) { return kind + std::to_string(below(9)); };
  Catalog catalog = catalog_of("web01", {});
  auto& all = catalog.resources;
  for (int step = 0; step < 100; ++step) {
    INFO("step ", step);
    for (std::size_t i = below(4); i > 0; --i) {
      const std::size_t at = below(all.size() + 2);
      if (at >= all.size()) {
        all.push_back(resource("File", "/" + std::to_string(step) + "." + std::to_string(i),
                               {{name("p"), {name("v"), name("v")}}}, {name("t")}));
      } else if (below(4) == 0) {
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        all[at].parameters[0] = {name("p"), Texts(1 + below(3), name("v"))};
        all[at].tags[0] = name("t");
        all[at].exported = below(2) == 0;
        if (below(3) == 0) all[at].line = below(50);
      }
    }
    if (below(5) == 0) db->run("DELETE FROM param_values WHERE value = '" + name("v") + "'");
    if (below(5) == 0) db->run("DELETE FROM puppet_tags WHERE name = '" + name("t") + "'");
    if (below(5) == 0) store = db->store(settings);
    const auto status = save_as(*store, catalog);
    REQUIRE((status == SaveStatus::kStored || status == SaveStatus::kUnchanged));
  }
  Catalog last = catalog;
  last.resources.push_back(resource("File", "/last"));
  REQUIRE(save_as(*store, last) == SaveStatus::kStored);
  CHECK(stored_in(*db) == stored_anew(last));
}

}  // namespace stompbox::contract

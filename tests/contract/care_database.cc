#include "tests/contract/care_database.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

namespace stompbox::contract {
namespace {

using catalog::CatalogPlace;

// Sorted by all cells but the last, for collations differ; rows that are alike keep their order.
void add_lines(std::vector<std::string>& lines, CatalogDatabase& db, const std::string& sql) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& row : db.rows(sql)) {
    auto& [front, last] = found.emplace_back();
    for (const auto& cell : row) {
      front += last;
      last = cell.value_or("NULL") + "|";
    }
  }
  std::ranges::stable_sort(found, {}, &std::pair<std::string, std::string>::first);
  for (const auto& [front, last] : found)
    lines.push_back(front + last);
}

}  // namespace

bool is_sqlite(CatalogDatabase& db) {
  return db.flag(true) == "t";
}

CatalogPlace place_of(CatalogDatabase& db) {
  CatalogPlace place;
  if (is_sqlite(db)) {
    place.kind = catalog::PlaceKind::kSqlite;
    place.sqlite.path = cell(db, "SELECT file FROM pragma_database_list WHERE name = 'main'");
    return place;
  }
  place.kind = catalog::PlaceKind::kMysql;
  place.mysql.socket = cell(db, "SELECT @@socket");
  place.mysql.database = cell(db, "SELECT database()");
  place.mysql.user = "root";
  return place;
}

std::unique_ptr<catalog::SqlConnection> connect(CatalogDatabase& db, catalog::ConnectionUse use) {
  auto opened = catalog::open_catalog_connection(place_of(db), use);
  if (!opened) FAIL(opened.error().text);
  return std::move(*opened);
}

catalog::Catalog web_catalog(const std::string& node) {
  auto motd = resource("File", "/etc/motd", {{"content", {"hello\nworld"}}, {"owner", {"root"}}},
                       {"file", "web"});
  motd.file = "/etc/puppet/motd.pp";
  motd.line = 7;
  auto key = exported(
      resource("Sshkey", node, {{"ensure", {"present"}}, {"key", {"AAAA"}}}, {"sshkey", "web"}));
  key.file = "/etc/puppet/ssh.pp";
  auto check = exported(resource("Nagios_service", "http-" + node,
                                 {{"use", {"generic", "http", "generic"}}}, {"nagios_service"}));
  auto made = catalog_of(node, {motd, key, check});
  made.environment = "production";
  return made;
}

void fill(CatalogDatabase& db) {
  const auto store = db.store({});
  for (const std::string node : {"web1", "web2"}) {
    CHECK(save(*store, facts_of(node, {{"ipaddress", {"10.0.0.1"}}, {"os", {"Debian"}}})).status ==
          catalog::SaveStatus::kStored);
    CHECK(save(*store, web_catalog(node)).status == catalog::SaveStatus::kStored);
  }
}

std::vector<std::string> meaning_of(CatalogDatabase& db) {
  std::vector<std::string> lines;
  add_lines(lines, db, "SELECT name, ip, environment FROM hosts ORDER BY name");
  add_lines(lines, db,
            "SELECT h.name, r.restype, r.title, CASE r.exported WHEN '" + db.flag(true) +
                "' THEN 'exported' ELSE 'own' END, r.line, f.filename FROM resources r JOIN hosts h"
                " ON h.id = r.host_id LEFT JOIN source_files f ON f.id = r.source_file_id"
                " ORDER BY h.name, r.restype, r.title");
  add_lines(lines, db,
            "SELECT h.name, r.restype, r.title, n.name, v.value FROM resources r JOIN hosts h ON"
            " h.id = r.host_id JOIN param_values v ON v.resource_id = r.id JOIN param_names n ON"
            " n.id = v.param_name_id ORDER BY h.name, r.restype, r.title, n.name, v.id");
  add_lines(lines, db,
            "SELECT h.name, r.restype, r.title, t.name FROM resources r JOIN hosts h ON"
            " h.id = r.host_id JOIN resource_tags g ON g.resource_id = r.id JOIN puppet_tags t ON"
            " t.id = g.puppet_tag_id ORDER BY h.name, r.restype, r.title, t.name");
  add_lines(lines, db,
            "SELECT h.name, n.name, v.value FROM hosts h JOIN fact_values v ON v.host_id = h.id"
            " JOIN fact_names n ON n.id = v.fact_name_id ORDER BY h.name, n.name, v.id");
  return lines;
}

}  // namespace stompbox::contract

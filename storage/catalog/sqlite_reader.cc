#include "storage/catalog/sqlite_reader.h"

#include <chrono>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "storage/catalog/schema.h"
#include "storage/catalog/sqlite_open.h"
#include "storage/catalog/sqlite_schema.h"

namespace stompbox::catalog {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::Result;

// With WAL a reader never waits; without, it waits for a commit no longer than this.
constexpr std::chrono::milliseconds kBusyTimeout{250};

std::string matching_sql(const ResourceQuery& query) {
  std::string sql =
      "SELECT r.id, h.name, r.restype, r.title, f.filename, r.exported, r.line"
      " FROM resources r JOIN hosts h ON h.id = r.host_id"
      " LEFT JOIN source_files f ON f.id = r.source_file_id WHERE 1";
  if (query.type) sql += " AND r.restype = :type";
  if (query.title) sql += " AND r.title = :title";
  if (query.node) sql += " AND h.name = :node";
  if (query.exported) sql += *query.exported ? " AND r.exported = 't'" : " AND r.exported = 'f'";
  if (query.tag) {
    sql +=
        " AND EXISTS (SELECT 1 FROM resource_tags rt JOIN puppet_tags t"
        " ON t.id = rt.puppet_tag_id WHERE rt.resource_id = r.id AND t.name = :tag)";
  }
  if (query.parameter) {
    sql +=
        " AND EXISTS (SELECT 1 FROM param_values v JOIN param_names n"
        " ON n.id = v.param_name_id WHERE v.resource_id = r.id AND n.name = :name"
        " AND v.value = :value)";
  }
  return sql + " ORDER BY h.name, r.restype, r.title, r.id LIMIT :count";
}

// An address of SQLite's own form, with the characters that it gives a meaning escaped.
std::string uri_of(const std::string& path, std::string_view parameters) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    if (c == '%' || c == '?' || c == '#') {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      uri += {'%', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      uri += c;
    }
  }
  return uri + "?" + std::string(parameters);
}

Result<std::unique_ptr<SqliteConnection>> open_for_reading(const std::string& path) {
  auto opened = SqliteConnection::open(uri_of(path, "mode=ro"), SqliteAccess::kRead, kBusyTimeout);
  if (!opened) return opened;
  static_cast<void>((*opened)->text_of("SELECT name FROM sqlite_master LIMIT 1"));
  if (!(*opened)->failed()) return opened;
  // A database in WAL mode that nobody has open, in a folder that we may not write: without a log
  // beside it the file alone is the whole database, and nobody changes it.
  const bool cannot_lock = ((*opened)->failure() & 0xff) == SQLITE_CANTOPEN ||
                           ((*opened)->failure() & 0xff) == SQLITE_READONLY;
  std::error_code ignored;
  const auto log_bytes = std::filesystem::file_size(path + "-wal", ignored);
  if (!cannot_lock || (!ignored && log_bytes > 0)) return (*opened)->error();
  return SqliteConnection::open(uri_of(path, "mode=ro&immutable=1"), SqliteAccess::kRead,
                                kBusyTimeout);
}

}  // namespace

SqliteReader::SqliteReader(std::unique_ptr<SqliteConnection> connection)
    : db_(std::move(connection)),
      nodes_(*db_,
             "SELECT h.name, h.environment, h.ip, h.last_compile,"
             " (SELECT count(*) FROM resources r WHERE r.host_id = h.id),"
             " (SELECT count(*) FROM resources r WHERE r.host_id = h.id AND r.exported = 't'),"
             " (SELECT count(DISTINCT fact_name_id) FROM fact_values v WHERE v.host_id = h.id)"
             " FROM hosts h ORDER BY h.name, h.id"),
      parameters_(*db_,
                  "SELECT n.name, v.value FROM param_values v JOIN param_names n"
                  " ON n.id = v.param_name_id WHERE v.resource_id = ?1 ORDER BY n.name, v.id"),
      tags_(*db_,
            "SELECT DISTINCT t.name FROM resource_tags rt JOIN puppet_tags t"
            " ON t.id = rt.puppet_tag_id WHERE rt.resource_id = ?1 ORDER BY t.name"),
      hosts_(*db_, "SELECT id FROM hosts WHERE name = ?1"),
      facts_(*db_,
             "SELECT n.name, v.value FROM hosts h JOIN fact_values v ON v.host_id = h.id"
             " JOIN fact_names n ON n.id = v.fact_name_id WHERE h.name = ?1"
             " ORDER BY n.name, v.id") {}

Result<std::vector<NodeRow>> SqliteReader::nodes() {
  begin();
  std::vector<NodeRow> rows;
  while (nodes_.step()) {
    std::string environment(nodes_.text(1));
    if (auto plain = environment_in_yaml(environment)) environment = *plain;
    rows.push_back({std::string(nodes_.text(0)), std::move(environment),
                    std::string(nodes_.text(2)), std::string(nodes_.text(3)), nodes_.integer(4),
                    nodes_.integer(5), nodes_.integer(6)});
  }
  return finish(std::move(rows));
}

Result<std::vector<ResourceRow>> SqliteReader::resources(const ResourceQuery& query) {
  begin();
  std::vector<std::int64_t> ids;
  std::vector<ResourceRow> rows = matching(query, ids);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    read_parameters(ids[i], rows[i]);
    read_tags(ids[i], rows[i]);
  }
  return finish(std::move(rows));
}

std::vector<ResourceRow> SqliteReader::matching(const ResourceQuery& query,
                                                std::vector<std::int64_t>& ids) {
  std::vector<ResourceRow> rows;
  SqliteStatement select(*db_, matching_sql(query));
  if (query.type) select.bind_named(":type", *query.type);
  if (query.title) select.bind_named(":title", *query.title);
  if (query.node) select.bind_named(":node", *query.node);
  if (query.tag) select.bind_named(":tag", *query.tag);
  if (query.parameter) {
    select.bind_named(":name", query.parameter->first);
    select.bind_named(":value", query.parameter->second);
  }
  const std::string count = std::to_string(query.count_max);
  select.bind_named(":count", count);
  while (select.step()) {
    ids.push_back(select.integer(0));
    ResourceRow& row = rows.emplace_back();
    row.node = select.text(1);
    row.type = select.text(2);
    row.title = select.text(3);
    row.file = select.text(4);
    row.exported = select.text(5) == "t";
    if (!select.is_null(6)) row.line = select.integer(6);
  }
  return rows;
}

void SqliteReader::read_parameters(std::int64_t id, ResourceRow& row) {
  parameters_.bind(1, id);
  while (parameters_.step()) {
    const std::string_view name = parameters_.text(0);
    if (row.parameters.empty() || row.parameters.back().first != name) {
      row.parameters.emplace_back(name, std::vector<std::string>{});
    }
    row.parameters.back().second.emplace_back(parameters_.text(1));
  }
}

void SqliteReader::read_tags(std::int64_t id, ResourceRow& row) {
  tags_.bind(1, id);
  while (tags_.step())
    row.tags.emplace_back(tags_.text(0));
}

Result<std::vector<FactRow>> SqliteReader::facts(const std::string& node) {
  begin();
  hosts_.bind(1, node);
  const bool found = hosts_.step();
  hosts_.reset();
  std::vector<FactRow> rows;
  facts_.bind(1, node);
  while (facts_.step()) {
    const std::string_view name = facts_.text(0);
    if (rows.empty() || rows.back().name != name) rows.push_back({std::string(name), {}});
    rows.back().values.emplace_back(facts_.text(1));
  }
  auto result = finish(std::move(rows));
  if (result && !found) {
    return Error{ErrorCode::kNotFound, "there is no node " + node + " in the catalog database"};
  }
  return result;
}

void SqliteReader::begin() {
  db_->clear_failure();
  db_->run("BEGIN");
}

template <typename Rows>
Result<Rows> SqliteReader::finish(Rows rows) {
  if (!db_->failed()) {
    db_->run("COMMIT");
    return rows;
  }
  Error error = db_->error();
  if (db_->in_transaction()) {
    sqlite3_exec(db_->raw(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  return error;
}

Result<std::unique_ptr<CatalogReader>> open_sqlite_reader(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return Error{ErrorCode::kNotFound, "there is no catalog database " + path};
  }
  auto connection = open_for_reading(path);
  if (!connection) return connection.error();
  SqliteConnection& db = **connection;
  const FoundTables found = inspect_tables(db);
  if (db.failed()) return db.error();
  if (const auto mismatch = schema_mismatch(found)) {
    return Error{ErrorCode::kInvalid, "the file " + path +
                                          " is not a database of Puppet's "
                                          "storeconfigs (" +
                                          *mismatch + "): name another one"};
  }
  return std::unique_ptr<CatalogReader>(std::make_unique<SqliteReader>(std::move(*connection)));
}

}  // namespace stompbox::catalog

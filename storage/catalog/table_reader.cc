#include "storage/catalog/table_reader.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "storage/catalog/schema.h"

namespace stompbox::catalog {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::Result;

// The statement, and the texts for its placeholders.
struct Matching {
  std::string sql;
  std::vector<std::string> texts;

  std::string placeholder(const std::string& text) {
    texts.push_back(text);
    return "?" + std::to_string(texts.size());
  }
};

Matching matching_of(const ResourceQuery& query, const SqlDialect& dialect) {
  Matching made;
  made.sql =
      "SELECT r.id, h.name, r.restype, r.title, f.filename, r.exported, r.line"
      " FROM resources r JOIN hosts h ON h.id = r.host_id"
      " LEFT JOIN source_files f ON f.id = r.source_file_id WHERE 1 = 1";
  if (query.type) made.sql += " AND r.restype = " + made.placeholder(*query.type);
  if (query.title) made.sql += " AND r.title = " + made.placeholder(*query.title);
  if (query.node) made.sql += " AND h.name = " + made.placeholder(*query.node);
  if (query.exported) {
    made.sql += " AND r.exported = " +
                made.placeholder(std::string(*query.exported ? dialect.yes : dialect.no));
  }
  if (query.tag) {
    made.sql +=
        " AND EXISTS (SELECT 1 FROM resource_tags rt JOIN puppet_tags t"
        " ON t.id = rt.puppet_tag_id WHERE rt.resource_id = r.id AND t.name = " +
        made.placeholder(*query.tag) + ")";
  }
  if (query.parameter) {
    made.sql +=
        " AND EXISTS (SELECT 1 FROM param_values v JOIN param_names n"
        " ON n.id = v.param_name_id WHERE v.resource_id = r.id AND n.name = " +
        made.placeholder(query.parameter->first) +
        " AND v.value = " + made.placeholder(query.parameter->second) + ")";
  }
  made.sql += " ORDER BY h.name, r.restype, r.title, r.id LIMIT " + std::to_string(query.count_max);
  return made;
}

}  // namespace

TableReader::TableReader(std::unique_ptr<SqlConnection> connection)
    : db_(std::move(connection)),
      nodes_(*db_,
             "SELECT h.name, h.environment, h.ip, h.last_compile,"
             " (SELECT count(*) FROM resources r WHERE r.host_id = h.id),"
             " (SELECT count(*) FROM resources r WHERE r.host_id = h.id AND r.exported = ?1),"
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

Result<std::vector<NodeRow>> TableReader::nodes() {
  begin();
  std::vector<NodeRow> rows;
  nodes_.bind(1, db_->dialect().yes);
  while (nodes_.step()) {
    std::string environment(nodes_.text(1));
    if (auto plain = environment_in_yaml(environment)) environment = *plain;
    rows.push_back({std::string(nodes_.text(0)), std::move(environment),
                    std::string(nodes_.text(2)), std::string(nodes_.text(3)), nodes_.integer(4),
                    nodes_.integer(5), nodes_.integer(6)});
  }
  return finish(std::move(rows));
}

Result<std::vector<ResourceRow>> TableReader::resources(const ResourceQuery& query) {
  begin();
  std::vector<std::int64_t> ids;
  std::vector<ResourceRow> rows = matching(query, ids);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    read_parameters(ids[i], rows[i]);
    read_tags(ids[i], rows[i]);
  }
  return finish(std::move(rows));
}

std::vector<ResourceRow> TableReader::matching(const ResourceQuery& query,
                                               std::vector<std::int64_t>& ids) {
  std::vector<ResourceRow> rows;
  const Matching matching = matching_of(query, db_->dialect());
  SqlStatement select(*db_, matching.sql);
  for (std::size_t i = 0; i < matching.texts.size(); ++i)
    select.bind(static_cast<int>(i) + 1, matching.texts[i]);
  while (select.step()) {
    ids.push_back(select.integer(0));
    ResourceRow& row = rows.emplace_back();
    row.node = select.text(1);
    row.type = select.text(2);
    row.title = select.text(3);
    row.file = select.text(4);
    row.exported = select.text(5) == db_->dialect().yes;
    if (!select.is_null(6)) row.line = select.integer(6);
  }
  return rows;
}

void TableReader::read_parameters(std::int64_t id, ResourceRow& row) {
  parameters_.bind(1, id);
  while (parameters_.step()) {
    const std::string_view name = parameters_.text(0);
    if (row.parameters.empty() || row.parameters.back().first != name) {
      row.parameters.emplace_back(name, std::vector<std::string>{});
    }
    row.parameters.back().second.emplace_back(parameters_.text(1));
  }
}

void TableReader::read_tags(std::int64_t id, ResourceRow& row) {
  tags_.bind(1, id);
  while (tags_.step())
    row.tags.emplace_back(tags_.text(0));
}

Result<std::vector<FactRow>> TableReader::facts(const std::string& node) {
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

void TableReader::begin() {
  db_->clear_failure();
  db_->run("BEGIN");
}

template <typename Rows>
Result<Rows> TableReader::finish(Rows rows) {
  if (!db_->failed()) {
    db_->run("COMMIT");
    return rows;
  }
  Error error = db_->error();
  db_->clear_failure();
  if (db_->in_transaction()) db_->run("ROLLBACK");
  return error;
}

}  // namespace stompbox::catalog

#include "storage/catalog/table_reader.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "storage/catalog/resource_query.h"
#include "storage/catalog/schema.h"

namespace stompbox::catalog {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::Result;

// Ids of names below this are looked up by place.
constexpr std::size_t kIdsByPlace = 65'536;

// About so many values and so many tags a resource has.
constexpr std::size_t kUsualChildren = 8;

Error no_node(const std::string& node) {
  return {ErrorCode::kNotFound, "there is no node " + node + " in the catalog database"};
}

// How many of the columns that people are told of our own table has: it may be missing, or another
// program's version of it be there.
std::string own_columns_sql(const SqlDialect& dialect) {
  const std::string table = "'" + std::string(kOwnTable) + "'";
  const std::string columns = "('lag_ms', 'changed_at', 'changes')";
  if (dialect.kind == SqlKind::kSqlite) {
    return "SELECT count(*) FROM pragma_table_info(" + table + ") WHERE name IN " + columns;
  }
  return "SELECT count(*) FROM information_schema.columns WHERE table_schema = database()"
         " AND table_name = " +
         table + " AND column_name IN " + columns;
}

std::string of_own_table(const std::string& columns, const std::string& rest) {
  return "SELECT " + columns + " FROM " + std::string(kOwnTable) + rest;
}

auto children_sql(const std::string& columns, const std::string& table, const std::string& order) {
  return [columns, table, order](std::size_t rows) {
    return "SELECT resource_id, " + columns + " FROM " + table + " WHERE resource_id IN (" +
           placeholders(1, rows) + ")" + order;
  };
}

// Rows of one name follow each other.
template <typename Rows, typename Same, typename Make>
auto& last_or_new(Rows& rows, Same same, Make make) {
  if (rows.empty() || !same(rows.back())) rows.push_back(make());
  return rows.back();
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
      hosts_(*db_, "SELECT last_compile FROM hosts WHERE name = ?1"),
      facts_(*db_,
             "SELECT n.name, v.value FROM hosts h JOIN fact_values v ON v.host_id = h.id"
             " JOIN fact_names n ON n.id = v.fact_name_id WHERE h.name = ?1"
             " ORDER BY n.name, v.id"),
      nodes_with_fact_(*db_,
                       "SELECT h.name, v.value FROM fact_names n"
                       " JOIN fact_values v ON v.fact_name_id = n.id"
                       " JOIN hosts h ON h.id = v.host_id WHERE n.name = ?1"
                       " ORDER BY h.name, h.id, v.id"),
      own_columns_(*db_, own_columns_sql(db_->dialect())),
      lags_(*db_, of_own_table("name, lag_ms", " WHERE lag_ms IS NOT NULL ORDER BY name")),
      changes_(*db_, of_own_table("changed_at, changes", " WHERE name = ?1")),
      parameters_(*db_, db_->dialect().asked_max,
                  children_sql("param_name_id, value", "param_values", " ORDER BY id")),
      tags_(*db_, db_->dialect().asked_max,
            children_sql("puppet_tag_id, NULL", "resource_tags", "")),
      parameter_names_(*db_, "param_names"),
      tag_names_(*db_, "puppet_tags"),
      files_(*db_, "source_files", "filename") {}

// Every value and every tag asks: ids are low, for names are few.
const std::string* TableReader::Names::of(std::int64_t id) {
  const auto place = static_cast<std::size_t>(id);
  if (place < by_id_.size() && by_id_[place] != nullptr) return by_id_[place];
  const std::string* const name = ask(id);
  if (name == nullptr || place >= kIdsByPlace) return name;
  if (place >= by_id_.size()) by_id_.resize(place + 1);
  return by_id_[place] = name;
}

const std::string* TableReader::Names::ask(std::int64_t id) {
  const auto [at, is_new] = names_.try_emplace(id);
  if (is_new) {
    find_.bind(1, id);
    if (find_.step()) at->second = find_.text_or_null(0);
    find_.reset();
  }
  return at->second ? &*at->second : nullptr;
}

void TableReader::Names::forget() {
  names_.clear();
  by_id_.clear();
}

bool TableReader::has_own_table() {
  constexpr std::int64_t kAll = 3;
  const bool has = own_columns_.step() && own_columns_.integer(0) == kAll;
  own_columns_.reset();
  return has;
}

Result<std::vector<NodeRow>> TableReader::nodes() {
  begin();
  std::vector<NodeRow> rows;
  nodes_.bind(1, db_->dialect().yes);
  while (nodes_.step()) {
    NodeRow& row = rows.emplace_back();
    row.name = nodes_.text(0);
    row.environment = nodes_.text(1);
    if (auto plain = environment_in_yaml(row.environment)) row.environment = *plain;
    row.ip = nodes_.text(2);
    row.last_compile = nodes_.text(3);
    row.resource_count = nodes_.integer(4);
    row.exported_count = nodes_.integer(5);
    row.fact_count = nodes_.integer(6);
  }
  if (has_own_table()) read_lags(rows);
  return finish(std::move(rows));
}

void TableReader::read_lags(std::vector<NodeRow>& rows) {
  std::unordered_map<std::string, std::int64_t> lags;
  while (lags_.step())
    lags.emplace(lags_.text(0), lags_.integer(1));
  for (NodeRow& row : rows) {
    if (const auto lag = lags.find(row.name); lag != lags.end()) row.lag_ms = lag->second;
  }
}

Result<std::vector<ResourceRow>> TableReader::resources(const ResourceQuery& query) {
  begin();
  std::vector<std::int64_t> ids;
  std::vector<ResourceRow> rows = matching(query, ids);
  read_parameters(ids, rows);
  read_tags(ids, rows);
  return finish(std::move(rows));
}

std::vector<ResourceRow> TableReader::matching(const ResourceQuery& query,
                                               std::vector<std::int64_t>& ids) {
  std::vector<ResourceRow> rows;
  std::vector<std::int64_t> file_ids;
  const ResourceSelect matching = select_of(query, db_->dialect());
  SqlStatement select(*db_, matching.sql);
  for (std::size_t i = 0; i < matching.texts.size(); ++i)
    select.bind(static_cast<int>(i) + 1, matching.texts[i]);
  while (select.step()) {
    ids.push_back(select.integer(0));
    ResourceRow& row = rows.emplace_back();
    row.node = select.text(1);
    row.type = select.text(2);
    row.title = select.text(3);
    file_ids.push_back(select.integer(4));
    row.exported = select.text(5) == db_->dialect().yes;
    if (!select.is_null(6)) row.line = select.integer(6);
  }
  read_files(file_ids, rows);
  return rows;
}

void TableReader::read_files(const std::vector<std::int64_t>& file_ids,
                             std::vector<ResourceRow>& rows) {
  files_.forget();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (const std::string* const file = files_.of(file_ids[i])) rows[i].file = *file;
  }
}

// Calls put() with the children of each statement, those of one resource by id.
template <typename Put>
void TableReader::read_children(BulkStatement& select, const std::vector<std::int64_t>& ids,
                                Put put) {
  using Place = std::pair<std::int64_t, std::size_t>;
  std::vector<Place> places;  // of one statement, by id
  std::vector<Child> found;
  for (std::size_t done = 0; done < ids.size() && !db_->failed();) {
    BulkStatement::Size& size = select.fitting(ids.size() - done);
    SqlStatement& children = *size.statement;
    places.clear();
    for (std::size_t i = 0; i < size.rows; ++i) {
      children.bind(static_cast<int>(i) + 1, ids[done + i]);
      places.emplace_back(ids[done + i], done + i);
    }
    std::ranges::sort(places);
    found.clear();
    while (children.step()) {
      const auto at =
          size.rows == 1 ? places.begin()
                         : std::ranges::lower_bound(places, children.integer(0), {}, &Place::first);
      found.push_back({at->second, children.integer(1), std::string(children.text(2))});
    }
    put(found);
    done += size.rows;
  }
}

void TableReader::read_parameters(const std::vector<std::int64_t>& ids,
                                  std::vector<ResourceRow>& rows) {
  parameter_names_.forget();
  read_children(parameters_, ids, [this, &rows](std::vector<Child>& values) {
    for (Child& value : values) {
      const std::string* const name = parameter_names_.of(value.name_id);
      if (name == nullptr) continue;
      auto& parameters = rows[value.place].parameters;
      if (parameters.empty()) parameters.reserve(kUsualChildren);
      auto at = std::ranges::find(parameters, *name, &ResourceRow::Parameter::first);
      if (at == parameters.end()) {
        parameters.emplace_back(*name, std::vector<std::string>{});
        at = parameters.end() - 1;
      }
      at->second.push_back(std::move(value.text));
    }
  });
  for (ResourceRow& row : rows)
    std::ranges::sort(row.parameters, {}, &ResourceRow::Parameter::first);
}

void TableReader::read_tags(const std::vector<std::int64_t>& ids, std::vector<ResourceRow>& rows) {
  tag_names_.forget();
  read_children(tags_, ids, [this, &rows](const std::vector<Child>& tags) {
    for (const Child& tag : tags) {
      const std::string* const name = tag_names_.of(tag.name_id);
      if (name == nullptr) continue;
      auto& of_resource = rows[tag.place].tags;
      if (of_resource.empty()) of_resource.reserve(kUsualChildren);
      of_resource.push_back(*name);
    }
  });
  for (ResourceRow& row : rows) {
    std::ranges::sort(row.tags);
    const auto twice = std::ranges::unique(row.tags);
    row.tags.erase(twice.begin(), twice.end());
  }
}

bool TableReader::read_host(const std::string& node, std::string& last_compile) {
  hosts_.bind(1, node);
  const bool found = hosts_.step();
  if (found) last_compile = hosts_.text(0);
  hosts_.reset();
  return found;
}

Result<std::vector<FactRow>> TableReader::facts(const std::string& node) {
  begin();
  std::string last_compile;
  const bool found = read_host(node, last_compile);
  std::vector<FactRow> rows;
  facts_.bind(1, node);
  while (facts_.step()) {
    const std::string_view name = facts_.text(0);
    FactRow& row = last_or_new(
        rows, [name](const FactRow& last) { return last.name == name; },
        [name] {
          return FactRow{std::string(name), {}};
        });
    row.values.emplace_back(facts_.text(1));
  }
  auto result = finish(std::move(rows));
  if (result && !found) return no_node(node);
  return result;
}

Result<std::vector<NodeFactRow>> TableReader::find_facts(const std::string& name,
                                                         const std::optional<std::string>& value) {
  begin();
  std::vector<NodeFactRow> rows;
  nodes_with_fact_.bind(1, name);
  while (nodes_with_fact_.step()) {
    const std::string_view node = nodes_with_fact_.text(0);
    NodeFactRow& row = last_or_new(
        rows, [node](const NodeFactRow& last) { return last.node == node; },
        [node, &name] {
          return NodeFactRow{std::string(node), {name, {}}};
        });
    row.fact.values.emplace_back(nodes_with_fact_.text(1));
  }
  if (value) {
    std::erase_if(rows, [&value](const NodeFactRow& row) {
      return std::ranges::find(row.fact.values, *value) == row.fact.values.end();
    });
  }
  return finish(std::move(rows));
}

Result<ChangesRow> TableReader::changes(const std::string& node) {
  begin();
  ChangesRow row;
  const bool found = read_host(node, row.last_compile);
  if (found && has_own_table()) {
    changes_.bind(1, node);
    if (changes_.step()) {
      row.changed_at = changes_.text(0);
      row.changes = changes_in(changes_.text(1));
    }
    changes_.reset();
  }
  auto result = finish(std::move(row));
  if (result && !found) return no_node(node);
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

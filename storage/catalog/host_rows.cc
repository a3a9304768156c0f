#include "storage/catalog/host_rows.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <string_view>

namespace stompbox::catalog {
namespace {

// CROSS JOIN fixes the order of the loops: the host's resources by id, the children of each by id.
constexpr const char* kOfHost =
    " FROM resources r CROSS JOIN %s c ON c.resource_id = r.id WHERE r.host_id = ?1";

std::string of_host(const std::string& columns, const std::string& table,
                    const std::string& order) {
  std::string from = kOfHost;
  from.replace(from.find("%s"), 2, table);
  return "SELECT " + columns + from + order;
}

constexpr const char* kResources =
    "SELECT id, restype, title, exported, line, source_file_id, updated_at FROM resources";

// The first id's place is ?2.
constexpr int kFirstId = 2;

// For BulkStatement: `select` where `column` is one of so many ids.
auto some(const std::string& select, const std::string& column, const std::string& order,
          std::string_view lock = {}) {
  const std::string where = select + " WHERE " + column + " IN (";
  const std::string rest = ") ORDER BY " + order + std::string(lock);
  return [where, rest](std::size_t rows) { return where + placeholders(kFirstId, rows) + rest; };
}

// Calls read() with a statement that has the next ids; the last of them fills what is left.
template <typename Read>
void for_each_chunk(BulkStatement& statements, std::span<const std::int64_t> ids, Read read) {
  while (!ids.empty()) {
    auto& [rows, statement] = statements.covering(ids.size());
    const auto chunk = ids.first(std::min(rows, ids.size()));
    for (std::size_t i = 0; i < rows; ++i) {
      statement->bind(kFirstId + static_cast<int>(i), chunk[std::min(i, chunk.size() - 1)]);
    }
    read(*statement);
    ids = ids.subspan(chunk.size());
  }
}

StoredFlag flag_of(std::string_view text, const SqlDialect& dialect) {
  if (text == dialect.yes) return StoredFlag::kTrue;
  return text == dialect.no ? StoredFlag::kFalse : StoredFlag::kOther;
}

void read_witness(SqlStatement& statement, std::int64_t host_id, Witness::Table& table) {
  statement.bind(1, host_id);
  if (!statement.step()) return;
  table = {statement.integer(0), statement.integer(1), std::string(statement.text(2))};
  statement.reset();
}

// Walks the resources beside their children, both by resource id; `resource` moves to the owner.
bool advance_to(std::vector<StoredResource>& resources, std::size_t& resource, std::int64_t id) {
  while (resource < resources.size() && resources[resource].id < id)
    ++resource;
  return resource < resources.size() && resources[resource].id == id;
}

}  // namespace

HostRows::HostRows(SqlConnection& db, CatalogNames& names)
    : dialect_(db.dialect()),
      names_(names),
      resources_(db, std::string(kResources) + " WHERE host_id = ?1 ORDER BY id" +
                         std::string(db.dialect().lock_rows)),
      parameters_(db, of_host("r.id, c.id, c.param_name_id, c.value, c.updated_at", "param_values",
                              " ORDER BY r.id, c.id")),
      tags_(db, of_host("r.id, c.id, c.puppet_tag_id", "resource_tags", " ORDER BY r.id")),
      ids_(db, "SELECT id FROM resources WHERE host_id = ?1"),
      some_resources_(db, db.dialect().asked_max,
                      some(kResources, "host_id = ?1 AND id", "id", db.dialect().lock_rows)),
      some_parameters_(db, db.dialect().asked_max,
                       some("SELECT resource_id, id, param_name_id, value, updated_at"
                            " FROM param_values",
                            "resource_id", "resource_id, id")),
      some_tags_(db, db.dialect().asked_max,
                 some("SELECT resource_id, id, puppet_tag_id FROM resource_tags", "resource_id",
                      "resource_id")),
      resource_witness_(db,
                        "SELECT count(*), coalesce(max(id), 0), coalesce(max(updated_at), '')"
                        " FROM resources WHERE host_id = ?1"),
      parameter_witness_(
          db, of_host("count(*), coalesce(max(c.id), 0), coalesce(max(c.updated_at), '')",
                      "param_values", "")),
      tag_witness_(db, of_host("count(*), coalesce(max(c.id), 0), ''", "resource_tags", "")) {}

StoredRows HostRows::load(std::int64_t host_id) {
  StoredRows rows;
  read_resources(resources_.bind(1, host_id), rows);
  rows.parameters.reserve(rows.resources.size() * 8);
  rows.tags.reserve(rows.resources.size() * 8);
  read_parameters(parameters_.bind(1, host_id), rows);
  read_tags(tags_.bind(1, host_id), rows);
  return rows;
}

StoredRows HostRows::load_some(std::int64_t host_id, std::span<const std::int64_t> ids) {
  assert(std::ranges::is_sorted(ids));
  StoredRows rows;
  for_each_chunk(some_resources_, ids,
                 [&](SqlStatement& bound) { read_resources(bound.bind(1, host_id), rows); });
  for_each_chunk(some_parameters_, ids, [&](SqlStatement& bound) { read_parameters(bound, rows); });
  for_each_chunk(some_tags_, ids, [&](SqlStatement& bound) { read_tags(bound, rows); });
  return rows;
}

void HostRows::read_resources(SqlStatement& bound, StoredRows& rows) {
  while (bound.step()) {
    StoredResource& row = rows.resources.emplace_back();
    row.id = bound.integer(0);
    row.type = rows.texts.keep(bound.text(1));
    row.title = rows.texts.keep(bound.text(2));
    row.exported = flag_of(bound.text(3), dialect_);
    if (!bound.is_null(4)) row.line = bound.integer(4);
    row.source_file_id = bound.integer(5);
    row.updated_at = rows.texts.keep(bound.text(6));
  }
}

void HostRows::read_parameters(SqlStatement& bound, StoredRows& rows) {
  std::size_t owner = 0;
  while (bound.step()) {
    if (!advance_to(rows.resources, owner, bound.integer(0))) continue;
    StoredResource& resource = rows.resources[owner];
    if (resource.parameters_end == 0) resource.parameters_begin = rows.parameters.size();
    rows.parameters.push_back({bound.integer(1), names_.parameters.standing(bound.integer(2)),
                               rows.texts.keep(bound.text(3)), rows.texts.keep(bound.text(4))});
    resource.parameters_end = rows.parameters.size();
  }
}

void HostRows::read_tags(SqlStatement& bound, StoredRows& rows) {
  std::size_t owner = 0;
  while (bound.step()) {
    if (!advance_to(rows.resources, owner, bound.integer(0))) continue;
    StoredResource& resource = rows.resources[owner];
    if (resource.tags_end == 0) resource.tags_begin = rows.tags.size();
    rows.tags.push_back({bound.integer(1), names_.tags.standing(bound.integer(2))});
    resource.tags_end = rows.tags.size();
  }
}

Witness HostRows::witness(std::int64_t host_id) {
  Witness witness;
  read_witness(resource_witness_, host_id, witness.resources);
  read_witness(parameter_witness_, host_id, witness.parameters);
  read_witness(tag_witness_, host_id, witness.tags);
  return witness;
}

std::vector<std::int64_t> HostRows::resource_ids(std::int64_t host_id) {
  std::vector<std::int64_t> ids;
  ids_.bind(1, host_id);
  while (ids_.step())
    ids.push_back(ids_.integer(0));
  return ids;
}

WantedRows wanted_rows(const Catalog& catalog, StoreScope scope, CatalogNames& names) {
  WantedRows wanted;
  wanted.rows.reserve(catalog.resources.size());
  for (const Resource& resource : catalog.resources) {
    if (scope == StoreScope::kExported && !resource.exported) continue;
    WantedRows::Row row{&resource, kNoRow, wanted.ids.size()};
    if (resource.file) row.source_file_id = names.files.id_of(*resource.file);
    for (const Parameter& parameter : resource.parameters) {
      wanted.ids.push_back(names.parameters.id_of(parameter.name));
    }
    for (const std::string& tag : resource.tags)
      wanted.ids.push_back(names.tags.id_of(tag));
    wanted.rows.push_back(row);
  }
  return wanted;
}

}  // namespace stompbox::catalog

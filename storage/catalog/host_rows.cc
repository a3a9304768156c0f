#include "storage/catalog/host_rows.h"

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
      resources_(db,
                 std::string("SELECT id, restype, title, exported, line, source_file_id, updated_at"
                             " FROM resources WHERE host_id = ?1 ORDER BY id") +
                     std::string(db.dialect().lock_rows)),
      parameters_(db, of_host("r.id, c.id, c.param_name_id, c.value, c.updated_at", "param_values",
                              " ORDER BY r.id, c.id")),
      tags_(db, of_host("r.id, c.id, c.puppet_tag_id", "resource_tags", " ORDER BY r.id")),
      ids_(db, "SELECT id FROM resources WHERE host_id = ?1"),
      resource_witness_(db,
                        "SELECT count(*), coalesce(max(id), 0), coalesce(max(updated_at), '')"
                        " FROM resources WHERE host_id = ?1"),
      parameter_witness_(
          db, of_host("count(*), coalesce(max(c.id), 0), coalesce(max(c.updated_at), '')",
                      "param_values", "")),
      tag_witness_(db, of_host("count(*), coalesce(max(c.id), 0), ''", "resource_tags", "")) {}

StoredRows HostRows::load(std::int64_t host_id) {
  StoredRows rows;
  load_resources(host_id, rows);
  load_parameters(host_id, rows);
  load_tags(host_id, rows);
  return rows;
}

void HostRows::load_resources(std::int64_t host_id, StoredRows& rows) {
  resources_.bind(1, host_id);
  while (resources_.step()) {
    StoredResource& row = rows.resources.emplace_back();
    row.id = resources_.integer(0);
    row.type = rows.texts.keep(resources_.text(1));
    row.title = rows.texts.keep(resources_.text(2));
    row.exported = flag_of(resources_.text(3), dialect_);
    if (!resources_.is_null(4)) row.line = resources_.integer(4);
    row.source_file_id = resources_.integer(5);
    row.updated_at = rows.texts.keep(resources_.text(6));
  }
}

void HostRows::load_parameters(std::int64_t host_id, StoredRows& rows) {
  rows.parameters.reserve(rows.resources.size() * 8);
  std::size_t owner = 0;
  parameters_.bind(1, host_id);
  while (parameters_.step()) {
    if (!advance_to(rows.resources, owner, parameters_.integer(0))) continue;
    StoredResource& resource = rows.resources[owner];
    if (resource.parameters_end == 0) resource.parameters_begin = rows.parameters.size();
    rows.parameters.push_back(
        {parameters_.integer(1), names_.parameters.standing(parameters_.integer(2)),
         rows.texts.keep(parameters_.text(3)), rows.texts.keep(parameters_.text(4))});
    resource.parameters_end = rows.parameters.size();
  }
}

void HostRows::load_tags(std::int64_t host_id, StoredRows& rows) {
  rows.tags.reserve(rows.resources.size() * 8);
  std::size_t owner = 0;
  tags_.bind(1, host_id);
  while (tags_.step()) {
    if (!advance_to(rows.resources, owner, tags_.integer(0))) continue;
    StoredResource& resource = rows.resources[owner];
    if (resource.tags_end == 0) resource.tags_begin = rows.tags.size();
    rows.tags.push_back({tags_.integer(1), names_.tags.standing(tags_.integer(2))});
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

#include "storage/catalog/row_writer.h"

#include <optional>

#include "storage/catalog/schema_time.h"

namespace stompbox::catalog {
namespace {

BulkInsert::Cell line_of(const Resource& resource) {
  return resource.line ? BulkInsert::Cell(*resource.line) : BulkInsert::Cell();
}

}  // namespace

RowWriter::RowWriter(SqlConnection& db, CatalogNames& names, NamesTable& fact_names, RowTimes times)
    : dialect_(db.dialect()),
      names_(names),
      fact_names_(fact_names),
      removed_resources_(db, "resources", "id"),
      their_parameters_(db, "param_values", "resource_id"),
      their_tags_(db, "resource_tags", "resource_id"),
      removed_parameters_(db, "param_values", "id"),
      removed_tags_(db, "resource_tags", "id"),
      removed_facts_(db, "fact_values", "id"),
      update_resource_(db,
                       "UPDATE resources SET exported = ?2, line = coalesce(?3, line),"
                       " source_file_id = coalesce(?4, source_file_id), updated_at = ?5"
                       " WHERE id = ?1"),
      resources_(db, "resources", "title, restype, host_id, source_file_id, exported, line", 6,
                 times),
      parameters_(db, "param_values", "value, param_name_id, resource_id", 3, times),
      tags_(db, "resource_tags", "resource_id, puppet_tag_id", 2, times),
      facts_(db, "fact_values", "value, fact_name_id, host_id", 3) {}

void RowWriter::remove_resource(std::int64_t id) {
  their_parameters_.add(id);
  their_tags_.add(id);
  removed_resources_.add(id);
}

void RowWriter::update_resource(std::int64_t id, const Resource& resource, std::string_view now) {
  std::optional<std::int64_t> file;
  if (resource.file) file = names_.files.id_of(*resource.file);
  update_resource_.bind(1, id)
      .bind(2, resource.exported ? dialect_.yes : dialect_.no)
      .bind_optional(3, resource.line)
      .bind_optional(4, file)
      .bind(5, now)
      .run();
}

std::vector<std::int64_t> RowWriter::insert_resources(std::int64_t host_id,
                                                      std::span<const Resource* const> resources,
                                                      std::string_view now) {
  for (const Resource* resource : resources) {
    const std::int64_t file =
        resource->file ? names_.files.id_of(*resource->file) : names_.files.id_of_null();
    resources_.add(now, std::string_view(resource->title), std::string_view(resource->type),
                   host_id, file, resource->exported ? dialect_.yes : dialect_.no,
                   line_of(*resource));
  }
  return resources_.flush(now);
}

void RowWriter::insert_parameter(std::int64_t resource_id, const Parameter& parameter,
                                 std::string_view now) {
  const std::int64_t name_id = names_.parameters.id_of(parameter.name);
  for (const std::string& value : parameter.values) {
    parameters_.add(to_seconds(now), std::string_view(value), name_id, resource_id);
  }
}

void RowWriter::insert_tag(std::int64_t resource_id, const std::string& tag, std::string_view now) {
  tags_.add(to_seconds(now), resource_id, names_.tags.id_of(tag));
}

void RowWriter::insert_fact(std::int64_t host_id, const Fact& fact, std::string_view now) {
  const std::int64_t name_id = fact_names_.id_of(fact.name);
  for (const std::string& value : fact.values) {
    facts_.add(now, std::string_view(value), name_id, host_id);
  }
}

void RowWriter::flush_removals() {
  for (BulkDelete* removed : {&their_parameters_, &their_tags_, &removed_resources_,
                              &removed_parameters_, &removed_tags_, &removed_facts_}) {
    removed->flush();
  }
}

RowWriter::Inserted RowWriter::flush(std::string_view now) {
  flush_removals();
  static_cast<void>(facts_.flush(now));
  return {parameters_.flush(to_seconds(now)), tags_.flush(to_seconds(now))};
}

void RowWriter::discard() {
  for (BulkDelete* removed : {&their_parameters_, &their_tags_, &removed_resources_,
                              &removed_parameters_, &removed_tags_, &removed_facts_}) {
    removed->discard();
  }
  for (BulkInsert* insert : {&resources_, &parameters_, &tags_, &facts_})
    insert->discard();
}

}  // namespace stompbox::catalog

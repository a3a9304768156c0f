#include "storage/catalog/care/mend_writer.h"

namespace stompbox::catalog::care {

MendWriter::MendWriter(SqlConnection& db)
    : resources_(db, "resources", "id"),
      their_parameters_(db, "param_values", "resource_id"),
      their_tags_(db, "resource_tags", "resource_id"),
      parameters_(db, "param_values", "id"),
      tags_(db, "resource_tags", "id"),
      facts_(db, "fact_values", "id"),
      set_type_(db, "UPDATE resources SET restype = ?2, updated_at = ?3 WHERE id = ?1"),
      set_exported_(db, "UPDATE resources SET exported = ?2, updated_at = ?3 WHERE id = ?1"),
      clear_file_(db, "UPDATE resources SET source_file_id = NULL, updated_at = ?2 WHERE id = ?1"),
      set_environment_(db, "UPDATE hosts SET environment = ?2, updated_at = ?3 WHERE id = ?1"),
      move_parameter_(db,
                      "UPDATE param_values SET param_name_id = ?2, updated_at = ?3 WHERE id = ?1"),
      move_tag_(db, "UPDATE resource_tags SET puppet_tag_id = ?2, updated_at = ?3 WHERE id = ?1"),
      move_fact_(db, "UPDATE fact_values SET fact_name_id = ?2, updated_at = ?3 WHERE id = ?1"),
      set_value_(db, "UPDATE param_values SET value = ?2, updated_at = ?3 WHERE id = ?1"),
      set_fact_(db, "UPDATE fact_values SET value = ?2, updated_at = ?3 WHERE id = ?1") {}

void MendWriter::write(const HostImage& host, const HostMend& mend, NameImages& names,
                       std::string_view now) {
  for (const std::int64_t id : mend.removed_resources)
    remove_resource(id);
  for (const std::int64_t id : mend.removed_parameters)
    parameters_.add(id);
  for (const std::int64_t id : mend.removed_tags)
    tags_.add(id);
  for (const std::int64_t id : mend.removed_facts)
    facts_.add(id);
  flush_removals();
  set(set_type_, mend.types, now);
  set(set_exported_, mend.exported, now);
  for (const std::int64_t id : mend.without_file)
    clear_file_.bind(1, id).bind(2, now).run();
  move(move_parameter_, mend.moved_parameters, names.parameters, now);
  move(move_tag_, mend.moved_tags, names.tags, now);
  move(move_fact_, mend.moved_facts, names.facts, now);
  set(set_value_, mend.values, now);
  set(set_fact_, mend.fact_values, now);
  if (!mend.environment) return;
  set_environment_.bind(1, host.id).bind(2, std::string_view(*mend.environment)).bind(3, now).run();
}

void MendWriter::remove_resource(std::int64_t id) {
  their_parameters_.add(id);
  their_tags_.add(id);
  resources_.add(id);
}

void MendWriter::flush_removals() {
  for (BulkDelete* removal :
       {&their_parameters_, &their_tags_, &resources_, &parameters_, &tags_, &facts_}) {
    removal->flush();
  }
}

void MendWriter::move(SqlStatement& statement, const std::vector<HostMend::Move>& moves,
                      NameImage& names, std::string_view now) {
  for (const HostMend::Move& one : moves) {
    std::int64_t to = one.to == kNoRow ? names.oldest(one.name) : one.to;
    if (to == kNoRow) to = names.create(one.name, now);
    statement.bind(1, one.id).bind(2, to).bind(3, now).run();
  }
}

void MendWriter::set(SqlStatement& statement, const std::vector<HostMend::Text>& texts,
                     std::string_view now) {
  for (const HostMend::Text& one : texts)
    statement.bind(1, one.id).bind(2, std::string_view(one.text)).bind(3, now).run();
}

}  // namespace stompbox::catalog::care

#include "storage/catalog/care/host_image.h"

#include <utility>

#include "storage/catalog/care/care_steps.h"

namespace stompbox::catalog::care {
namespace {

// CROSS JOIN fixes the order of the loops: the host's resources by id, the children of each by id.
std::string children(const std::string& columns, const std::string& table) {
  return "SELECT c.id, c.resource_id, " + columns + " FROM resources r CROSS JOIN " + table +
         " c ON c.resource_id = r.id WHERE r.host_id = ?1 ORDER BY r.id, c.id";
}

std::optional<std::string_view> kept(TextArena& texts, const SqlStatement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return texts.keep(row.text(column));
}

std::optional<std::int64_t> integer_or_null(const SqlStatement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.integer(column);
}

}  // namespace

HostImages::HostImages(SqlConnection& db)
    : host_(db, "SELECT name, ip, environment, last_compile FROM hosts WHERE id = ?1"),
      resources_(db,
                 "SELECT id, restype, title, exported, line, source_file_id FROM resources"
                 " WHERE host_id = ?1 ORDER BY id"),
      parameters_(db, children("c.param_name_id, c.value", "param_values")),
      tags_(db, children("c.puppet_tag_id", "resource_tags")),
      facts_(db, "SELECT id, fact_name_id, value FROM fact_values WHERE host_id = ?1 ORDER BY id") {
}

std::optional<HostImage> HostImages::load(std::int64_t id) {
  host_.bind(1, id);
  if (!host_.step()) return std::nullopt;
  HostImage image;
  image.id = id;
  image.name = host_.text(0);
  image.ip = host_.text_or_null(1);
  image.environment = host_.text_or_null(2);
  image.last_compile = host_.text_or_null(3);
  host_.reset();
  load_resources(image);
  load_children(image);
  load_facts(image);
  return image;
}

void HostImages::load_resources(HostImage& image) {
  resources_.bind(1, image.id);
  while (resources_.step()) {
    HostImage::Resource& row = image.resources.emplace_back();
    row.id = resources_.integer(0);
    row.type = image.texts.keep(resources_.text(1));
    row.title = image.texts.keep(resources_.text(2));
    row.exported = kept(image.texts, resources_, 3);
    row.line = integer_or_null(resources_, 4);
    row.file_id = integer_or_null(resources_, 5);
  }
}

void HostImages::load_children(HostImage& image) {
  parameters_.bind(1, image.id);
  while (parameters_.step()) {
    image.parameters.push_back({parameters_.integer(0), parameters_.integer(1),
                                parameters_.integer(2), kept(image.texts, parameters_, 3)});
  }
  tags_.bind(1, image.id);
  while (tags_.step())
    image.tags.push_back({tags_.integer(0), tags_.integer(1), tags_.integer(2)});
}

void HostImages::load_facts(HostImage& image) {
  facts_.bind(1, image.id);
  while (facts_.step()) {
    image.facts.push_back({facts_.integer(0), facts_.integer(1), kept(image.texts, facts_, 2)});
  }
}

std::vector<HostName> host_names(SqlConnection& db) {
  std::vector<HostName> names;
  IdWindows windows(db, "hosts");
  SqlStatement select(db,
                      "SELECT id, name FROM hosts c WHERE c.id > ?1 AND c.id <= ?2 ORDER BY c.id");
  while (const auto window = windows.next()) {
    bind(select, *window);
    while (select.step())
      names.push_back({select.integer(0), std::string(select.text(1))});
  }
  return names;
}

}  // namespace stompbox::catalog::care

#include "tests/contract/catalog_database.h"

#include <doctest/doctest.h>

#include <array>

namespace stompbox::contract {
namespace {

catalog::Arrival next_arrival() {
  static std::uint64_t number = 0;
  return {"contract", ++number};
}

}  // namespace

std::string cell(CatalogDatabase& db, const std::string& sql) {
  const auto rows = db.rows(sql);
  REQUIRE(rows.size() == 1);
  return rows[0].at(0).value_or("NULL");
}

std::vector<std::string> column(CatalogDatabase& db, const std::string& sql) {
  std::vector<std::string> cells;
  for (const auto& row : db.rows(sql))
    cells.push_back(row.at(0).value_or("NULL"));
  return cells;
}

catalog::Resource resource(std::string type, std::string title,
                           std::vector<catalog::Parameter> parameters,
                           std::vector<std::string> tags) {
  catalog::Resource made;
  made.type = std::move(type);
  made.title = std::move(title);
  made.parameters = std::move(parameters);
  made.tags = std::move(tags);
  return made;
}

catalog::Resource exported(catalog::Resource resource) {
  resource.exported = true;
  return resource;
}

catalog::Catalog catalog_of(std::string node, std::vector<catalog::Resource> resources) {
  catalog::Catalog made;
  made.node = std::move(node);
  made.resources = std::move(resources);
  return made;
}

catalog::NodeFacts facts_of(std::string node, std::vector<catalog::Fact> facts) {
  catalog::NodeFacts made;
  made.node = std::move(node);
  made.facts = std::move(facts);
  return made;
}

catalog::SaveOutcome save(catalog::CatalogStore& store, const catalog::Catalog& catalog) {
  const std::array saves = {catalog::CatalogSave{&catalog, next_arrival()}};
  const auto outcomes = store.save(saves);
  REQUIRE(outcomes.size() == 1);
  INFO(outcomes[0].error.text);
  return outcomes[0];
}

catalog::SaveOutcome save(catalog::CatalogStore& store, const catalog::NodeFacts& facts) {
  const std::array saves = {catalog::FactsSave{&facts, next_arrival()}};
  const auto outcomes = store.save_facts(saves);
  REQUIRE(outcomes.size() == 1);
  return outcomes[0];
}

std::vector<std::string> parameters_of(CatalogDatabase& db, const std::string& title) {
  std::vector<std::string> found;
  for (const auto& row : db.rows("SELECT n.name, v.value FROM resources r"
                                 " JOIN param_values v ON v.resource_id = r.id"
                                 " JOIN param_names n ON n.id = v.param_name_id WHERE r.title = '" +
                                 title + "' ORDER BY n.name, v.id")) {
    found.push_back(row[0].value() + "=" + row[1].value());
  }
  return found;
}

std::vector<std::string> tags_of(CatalogDatabase& db, const std::string& title) {
  return column(db,
                "SELECT t.name FROM resources r JOIN resource_tags rt ON rt.resource_id = r.id"
                " JOIN puppet_tags t ON t.id = rt.puppet_tag_id WHERE r.title = '" +
                    title + "' ORDER BY t.name");
}

}  // namespace stompbox::contract

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/catalog/catalog_reader.h"
#include "storage/catalog/catalog_store.h"

// What the contract suite of CatalogStore and CatalogReader needs of a kind of database. Each kind
// is an executable of its own that defines make_catalog_database() beside the suite.
namespace stompbox::contract {

enum class SchemaAge { kNone, kPuppet025, kPuppet26, kPuppet38 };

struct StoreSettings {
  std::uint32_t full_compare_every = 48;
  bool thin = false;
};

class CatalogDatabase {
 public:
  using Row = std::vector<std::optional<std::string>>;

  virtual ~CatalogDatabase() = default;

  // Opened, on a connection of its own.
  virtual std::unique_ptr<catalog::CatalogStore> store(const StoreSettings& settings) = 0;
  virtual std::unique_ptr<catalog::CatalogReader> reader() = 0;
  // As somebody else would, a master or a person: on another connection.
  virtual void run(const std::string& sql) = 0;
  virtual std::vector<Row> rows(const std::string& sql) = 0;
  // How a boolean column holds it.
  virtual std::string flag(bool value) const = 0;
  // From now on this parameter value breaks a constraint.
  virtual void refuse_value(const std::string& value) = 0;
  // Names of unique indices, primary keys not among them.
  virtual std::vector<std::string> unique_indices() = 0;
  // Names of the columns of a table; those that must be given only, if asked.
  enum class Columns { kAll, kRequired };
  virtual std::vector<std::string> columns(const std::string& table, Columns which) = 0;
};

// Its tables made as that Puppet made them; kNone: empty, the store makes them.
[[nodiscard]] std::unique_ptr<CatalogDatabase> make_catalog_database(
    SchemaAge age = SchemaAge::kNone);

// The one cell of a query that has one.
[[nodiscard]] std::string cell(CatalogDatabase& db, const std::string& sql);
// The first column.
[[nodiscard]] std::vector<std::string> column(CatalogDatabase& db, const std::string& sql);

// Short forms of catalogs.
[[nodiscard]] catalog::Resource resource(std::string type, std::string title,
                                         std::vector<catalog::Parameter> parameters = {},
                                         std::vector<std::string> tags = {});
[[nodiscard]] catalog::Resource exported(catalog::Resource resource);
[[nodiscard]] catalog::Catalog catalog_of(std::string node,
                                          std::vector<catalog::Resource> resources);
[[nodiscard]] catalog::NodeFacts facts_of(std::string node, std::vector<catalog::Fact> facts);

// One save as a call of its own; each later than the one before.
[[nodiscard]] catalog::SaveOutcome save(catalog::CatalogStore& store,
                                        const catalog::Catalog& catalog);
[[nodiscard]] catalog::SaveOutcome save(catalog::CatalogStore& store,
                                        const catalog::NodeFacts& facts);

// "name=value" of a resource's parameters and its tags, by the rules of a reader.
[[nodiscard]] std::vector<std::string> parameters_of(CatalogDatabase& db, const std::string& title);
[[nodiscard]] std::vector<std::string> tags_of(CatalogDatabase& db, const std::string& title);

}  // namespace stompbox::contract

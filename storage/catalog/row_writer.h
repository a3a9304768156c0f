#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/bulk.h"
#include "storage/catalog/catalog.h"
#include "storage/catalog/host_rows.h"

namespace stompbox::catalog {

// Every statement that changes the rows of catalogs and facts. Inside a write transaction only.
// What is removed and inserted may wait for flush(), removals before inserts. Names have their rows
// by then. Texts and `now` must live until flush().
class RowWriter {
 public:
  // `times` is of new rows of resources, values and tags; facts always have theirs.
  RowWriter(SqlConnection& db, CatalogNames& names, NamesTable& fact_names, RowTimes times);

  // With its parameters and tags.
  void remove_resource(std::int64_t id);
  void remove_parameter(std::int64_t id) { removed_parameters_.add(id); }
  void remove_tag(std::int64_t id) { removed_tags_.add(id); }
  void remove_fact(std::int64_t id) { removed_facts_.add(id); }

  // Sets exported, and line and file where the catalog has them (4.2: they are never reset).
  void update_resource(std::int64_t id, const Resource& resource, std::string_view now);
  // At once; their ids, in their order. Fewer when the connection has failed.
  [[nodiscard]] std::vector<std::int64_t> insert_resources(
      std::int64_t host_id, std::span<const Resource* const> resources, std::string_view now);
  void insert_parameter(std::int64_t resource_id, const Parameter& parameter, std::string_view now);
  void insert_tag(std::int64_t resource_id, const std::string& tag, std::string_view now);
  void insert_fact(std::int64_t host_id, const Fact& fact, std::string_view now);

  struct Inserted {
    std::vector<std::int64_t> parameters, tags;  // ids
  };
  Inserted flush(std::string_view now);
  // After a rollback.
  void discard();

 private:
  void flush_removals();

  const SqlDialect& dialect_;
  CatalogNames& names_;
  NamesTable& fact_names_;
  BulkDelete removed_resources_, their_parameters_, their_tags_;
  BulkDelete removed_parameters_, removed_tags_, removed_facts_;
  SqlStatement update_resource_;
  BulkInsert resources_, parameters_, tags_, facts_;
};

}  // namespace stompbox::catalog

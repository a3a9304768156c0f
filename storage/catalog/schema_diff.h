#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/catalog/schema_rows.h"

namespace stompbox::catalog {

// kExported: thin storeconfigs; rows that are not exported are left alone (facts 4.2, steps 2 and
// 3).
enum class StoreScope { kAll, kExported };

// The fewest row changes that turn the stored rows of a host into the wanted ones. Points into the
// catalog that was compared.
struct CatalogDiff {
  struct ResourceChange {
    std::int64_t id = kNoRow;
    const Resource* wanted = nullptr;
  };
  struct NewParameter {
    std::int64_t resource_id = kNoRow;
    const Parameter* parameter = nullptr;
  };
  struct NewTag {
    std::int64_t resource_id = kNoRow;
    const std::string* tag = nullptr;
  };

  std::vector<std::int64_t> removed_resources;  // with their parameters and tags
  std::vector<std::int64_t> removed_parameters;
  std::vector<std::int64_t> removed_tags;
  std::vector<ResourceChange> changed_resources;  // exported, line or file differs
  std::vector<NewParameter> new_parameters;
  std::vector<NewTag> new_tags;
  std::vector<const Resource*> new_resources;

  // What is not a change: where in WantedRows::rows new resources stand, and those that have a row.
  struct KeptResource {
    std::int64_t id = kNoRow;
    std::size_t place = 0;
  };
  std::vector<std::size_t> new_places;
  std::vector<KeptResource> kept_resources;
  Witness kept;  // of the rows that stay

  [[nodiscard]] bool empty() const;
};

// In stored form, so an unchanged catalog gives an empty diff. Junk is cleared away: of two rows
// for one Type[title] the newest stays (rule 5), values and tags of no name go, a tag stands once.
[[nodiscard]] CatalogDiff diff_catalog(const StoredRows& stored, const WantedRows& wanted,
                                       StoreScope scope);

}  // namespace stompbox::catalog

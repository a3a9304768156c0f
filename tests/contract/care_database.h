#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include "storage/catalog/care/care_steps.h"
#include "storage/catalog/catalog_place.h"
#include "tests/contract/catalog_database.h"

// What the care suites need beside catalog_database.h; for every kind of database.
namespace stompbox::contract {

[[nodiscard]] catalog::CatalogPlace place_of(CatalogDatabase& db);
[[nodiscard]] std::unique_ptr<catalog::SqlConnection> connect(
    CatalogDatabase& db, catalog::ConnectionUse use = catalog::ConnectionUse::kWrite);
[[nodiscard]] bool is_sqlite(CatalogDatabase& db);

// Waits for nobody; counts.
class CountingWatch final : public catalog::care::CareWatch {
 public:
  void on_progress(std::string_view, std::uint64_t, std::uint64_t) override { ++steps; }
  void rest(std::chrono::milliseconds) override { ++rests; }
  std::uint64_t steps = 0, rests = 0;
};

// Two nodes that keep the contract: web1 and web2, with exported and other resources, tags of their
// own and facts.
void fill(CatalogDatabase& db);
[[nodiscard]] catalog::Catalog web_catalog(const std::string& node);

// All rows of the nodes by what they say, not by their ids: lines that two databases have in common
// when a master sees no difference.
[[nodiscard]] std::vector<std::string> meaning_of(CatalogDatabase& db);

}  // namespace stompbox::contract

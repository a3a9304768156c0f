#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "storage/catalog/catalog_store.h"
#include "tests/sim/chance.h"
#include "tests/sim/checker.h"
#include "tests/sim/faults.h"

namespace stompbox::sim {

// The database that outlives the broker: per node the generation that is stored, and its arrival.
struct Shelf {
  struct Row {
    std::uint64_t generation = 0;
    catalog::Arrival arrival;
  };
  std::map<std::string, Row> rows;
};

// A catalog store that keeps the contract of CatalogStore over a Shelf, and is out of order at
// times.
class SimCatalogStore final : public catalog::CatalogStore {
 public:
  SimCatalogStore(Shelf& shelf, Chance& chance, Checker& checker, Fault fault);

  storage::Status open() override { return storage::kOk; }
  std::vector<catalog::SaveOutcome> save(std::span<const catalog::CatalogSave> saves) override;
  std::vector<catalog::SaveOutcome> save_facts(std::span<const catalog::FactsSave> saves) override;
  std::string description() const override { return "simulated"; }

  // What a forgetful database has not really written yet reaches the shelf.
  void flush();
  void set_healthy() { healthy_ = true; }

 private:
  [[nodiscard]] catalog::SaveOutcome save_one(const catalog::CatalogSave& save);
  void put(const std::string& node, const Shelf::Row& row);

  Shelf& shelf_;
  Chance& chance_;
  Checker& checker_;
  const Fault fault_;
  bool healthy_ = false;
  std::map<std::string, Shelf::Row> unwritten_;
};

}  // namespace stompbox::sim

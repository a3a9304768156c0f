#include "tests/sim/shelf.h"

#include <utility>

namespace stompbox::sim {

SimCatalogStore::SimCatalogStore(Shelf& shelf, Chance& chance, Checker& checker, Fault fault)
    : shelf_(shelf), chance_(chance), checker_(checker), fault_(fault) {}

std::vector<catalog::SaveOutcome> SimCatalogStore::save(
    std::span<const catalog::CatalogSave> saves) {
  std::vector<catalog::SaveOutcome> outcomes;
  bool in_trouble = false;
  for (const catalog::CatalogSave& save : saves) {
    in_trouble = in_trouble || (!healthy_ && chance_.once_in(12));
    if (in_trouble) {
      outcomes.push_back({catalog::SaveStatus::kTransient,
                          {storage::ErrorCode::kBusy, "the database is locked"},
                          {}});
    } else {
      outcomes.push_back(save_one(save));
    }
  }
  return outcomes;
}

catalog::SaveOutcome SimCatalogStore::save_one(const catalog::CatalogSave& save) {
  const std::string& node = save.catalog->node;
  const storage::Result<catalog::Catalog> whole =
      save.read_whole ? save.read_whole() : storage::Result<catalog::Catalog>(*save.catalog);
  if (!whole) return {catalog::SaveStatus::kPermanent, whole.error(), {}, true};
  const std::string title = whole->resources.front().title;  // "/g17"
  const std::uint64_t generation = std::stoull(title.substr(2));
  const auto row = shelf_.rows.find(node);
  const bool known = row != shelf_.rows.end() && row->second.arrival.store == save.arrival.store;
  if (known && row->second.arrival.number >= save.arrival.number &&
      fault_ != Fault::kOlderCatalogWins) {
    return {catalog::SaveStatus::kSuperseded, {}, {}};
  }
  if (fault_ == Fault::kDatabaseForgets) {
    unwritten_[node] = {generation, save.arrival};
  } else {
    put(node, {generation, save.arrival});
  }
  return {catalog::SaveStatus::kStored, {}, {}};
}

void SimCatalogStore::put(const std::string& node, const Shelf::Row& row) {
  checker_.catalog_stored(node, row.generation);
  shelf_.rows[node] = row;
}

void SimCatalogStore::flush() {
  for (const auto& [node, row] : std::exchange(unwritten_, {}))
    put(node, row);
}

std::vector<catalog::SaveOutcome> SimCatalogStore::save_facts(
    std::span<const catalog::FactsSave> saves) {
  return std::vector<catalog::SaveOutcome>(saves.size());
}

}  // namespace stompbox::sim

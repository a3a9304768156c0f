#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/catalog/database_session.h"
#include "storage/catalog/hosts_table.h"
#include "storage/catalog/save_work.h"

namespace stompbox::catalog {

// Stores the facts of one node, unless a master writes them itself: then there is a fact
// `_timestamp`, which we never write (rule 19). Only facts that differ are written, whole.
class FactsWork final : public SaveWork {
 public:
  // Session and facts outlive this.
  FactsWork(DatabaseSession& session, const FactsSave& save);

  const std::string& node() const override { return facts_.node; }
  void add_names(NameSets& wanted) const override;
  void plan() override;
  bool is_current() override { return epoch_ == session_.epoch(); }
  bool writes() const override {
    return status_ == SaveStatus::kStored || status_ == SaveStatus::kUnchanged;
  }
  std::size_t row_count() const override { return 2 + removed_.size() + new_.size(); }
  void apply(std::string_view now) override;
  SaveOutcome outcome() const override;

 private:
  struct Stored {
    std::int64_t id = kNoRow;
    std::string value;
  };

  // False when a master's own fact is among them.
  [[nodiscard]] bool load();
  void compare();

  DatabaseSession& session_;
  const NodeFacts& facts_;
  const Arrival arrival_;
  SqlStatement& load_;

  // Decided by plan().
  SaveStatus status_ = SaveStatus::kStored;
  std::uint64_t epoch_ = 0;
  HostRow host_;
  std::unordered_map<std::int64_t, std::vector<Stored>> stored_;  // by name id
  std::vector<std::int64_t> removed_;
  std::vector<const Fact*> new_;
};

}  // namespace stompbox::catalog

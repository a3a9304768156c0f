#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/catalog/database_session.h"
#include "storage/catalog/fingerprints.h"
#include "storage/catalog/hosts_table.h"
#include "storage/catalog/save_work.h"
#include "storage/catalog/schema_diff.h"

namespace stompbox::catalog {

// Stores one catalog.
//
//   record later or equal ──▶ kNothing; so is an outline that cannot be read whole
//   digest, host row and witness as recorded ──▶ kTouch: hosts and our own row
//   else compare ──▶ kWrite: the differences, too
//
// Compared are the rows of those resources whose fingerprint is another one; all rows where our
// record does not have them, or its witness is not what is there, and every few saves.
class CatalogWork final : public SaveWork {
 public:
  // Session and catalog outlive this.
  CatalogWork(DatabaseSession& session, const CatalogSave& save);

  const std::string& node() const override { return catalog_->node; }
  void add_names(NameSets& wanted) const override;
  void plan() override;
  bool is_current() override;
  bool writes() const override { return action_ != Action::kNothing; }
  std::size_t row_count() const override { return row_count_; }
  void apply(std::string_view now) override;
  SaveOutcome outcome() const override;

 private:
  enum class Action { kNothing, kTouch, kWrite };

  [[nodiscard]] bool is_unchanged();
  [[nodiscard]] bool is_as_recorded();
  void read_whole();
  void compare();
  [[nodiscard]] bool compare_some();
  void compare_all();
  void note_differences(const StoredRows& stored);
  void plan_host_columns();
  void remove_rows();
  void insert_rows(std::string_view now);
  void insert_resources(std::string_view now);
  // What the witness has to expect of a new row.
  [[nodiscard]] std::string_view time_of_rows(std::string_view now) const;
  void put_record(std::string_view now);
  [[nodiscard]] std::string fingerprints(const NodeRecord& record);
  [[nodiscard]] std::uint64_t fingerprint(std::size_t place);
  [[nodiscard]] std::optional<std::int64_t> lag_ms() const;

  DatabaseSession& session_;
  const Catalog* catalog_;  // the save's, then whole_ where that was an outline
  Catalog whole_;
  std::function<storage::Result<Catalog>()> read_whole_;  // empty: `catalog_` is whole
  std::optional<storage::Error> unreadable_;
  const Arrival arrival_;
  const std::int64_t arrived_ms_;
  std::string digest_;  // as recorded: with the scope

  // Decided by plan(), then by apply().
  Action action_ = Action::kNothing;
  std::uint64_t epoch_ = 0;
  HostRow host_;
  std::optional<NodeRecord> record_;
  std::string witness_;                // of the rows that plan() saw
  bool some_compared_ = false;         // the others are as recorded
  WantedRows wanted_;                  // that may differ from what is stored
  CatalogDiff diff_;                   // of these
  std::vector<Fingerprint> same_;      // of all others
  std::vector<std::int64_t> new_ids_;  // of diff_.new_resources, once they are inserted
  Witness before_, after_;             // of all rows; after_ is whole when apply() has written
  std::optional<std::string> ip_, environment_;
  std::optional<std::string> changes_;
  std::size_t row_count_ = 0;
  bool made_host_ = false;
};

}  // namespace stompbox::catalog

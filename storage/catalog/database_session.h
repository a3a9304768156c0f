#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "storage/catalog/host_rows.h"
#include "storage/catalog/hosts_table.h"
#include "storage/catalog/names_table.h"
#include "storage/catalog/row_writer.h"
#include "storage/catalog/schema_diff.h"
#include "storage/catalog/schema_time.h"
#include "storage/catalog/sql.h"

namespace stompbox::catalog {

// Texts that need a row in the tables of names; they live elsewhere.
struct NameSets {
  std::set<std::string_view> parameters, tags, files, facts;
  bool null_file = false;  // the row of source_files that stands for no file (4.2)

  // All that the resource's own rows and those of its children name.
  void add(const Resource& resource) {
    for (const Parameter& parameter : resource.parameters)
      parameters.insert(parameter.name);
    tags.insert(resource.tags.begin(), resource.tags.end());
    if (resource.file) files.insert(*resource.file);
    null_file = null_file || !resource.file;
  }
};

struct SessionOptions {
  StoreScope scope = StoreScope::kAll;
  std::uint32_t full_compare_every = 48;
  RowTimes row_times = RowTimes::kWritten;  // of resources, values and tags
};

// Everything that lives as long as one connection: statements, and what we know of the database.
// After any failure but a rolled back savepoint the whole of it is thrown away.
class DatabaseSession {
 public:
  DatabaseSession(std::unique_ptr<SqlConnection> connection, SessionOptions session_options)
      : options(session_options),
        db_(std::move(connection)),
        timestamps(db_->dialect().second_digits),
        names{{*db_, "param_names", "name"},
              {*db_, "puppet_tags", "name"},
              {*db_, "source_files", "filename"}},
        fact_names(*db_, "fact_names", "name"),
        hosts(*db_, fact_names),
        nodes(*db_),
        rows(*db_, names),
        writer(*db_, names, fact_names, options.row_times),
        load_facts(*db_,
                   "SELECT id, fact_name_id, value FROM fact_values WHERE host_id = ?1"
                   " ORDER BY id"),
        data_version_(*db_, std::string(db_->dialect().data_version)) {}

  [[nodiscard]] SqlConnection& db() { return *db_; }

  // Notices commits of other connections: what we remember has to be checked again. Where they
  // cannot be noticed, there may always have been one.
  void look() {
    if (!db_->dialect().data_version.empty()) {
      if (!data_version_.step()) return;
      const std::int64_t version = data_version_.integer(0);
      data_version_.reset();
      if (version == seen_version_) return;
      seen_version_ = version;
    }
    ++epoch_;
    names.parameters.forget_checks();
    names.tags.forget_checks();
    names.files.forget_checks();
    fact_names.forget_checks();
  }

  // Grows with each look() that found commits of others.
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }

  // Whether the rows of a node are exactly those that our record tells of: we have looked, and
  // nobody else has written since.
  [[nodiscard]] bool is_known(const std::string& node) const {
    const auto at = known_.find(node);
    return at != known_.end() && at->second == epoch_;
  }
  void set_known(const std::string& node) {
    if (known_.size() >= kKnownMax) known_.clear();
    known_.insert_or_assign(node, epoch_);
  }
  void set_unknown(const std::string& node) { known_.erase(node); }

  // A savepoint or more was rolled back: rows and names that it made are gone.
  void forget_rolled_back() {
    known_.clear();
    writer.discard();
    names.parameters.start_over();
    names.tags.start_over();
    names.files.start_over();
    fact_names.start_over();
  }

  // Makes the rows that are missing, in sorted order, so that two writers never wait for each other
  // crosswise. Inside a write transaction.
  void create_names(const NameSets& wanted, std::string_view now) {
    names.parameters.create(wanted.parameters, now);
    names.tags.create(wanted.tags, now);
    names.files.create(wanted.files, now);
    if (wanted.null_file && names.files.id_of_null() == kNoRow) names.files.create_null(now);
    fact_names.create(wanted.facts, now);
  }
  [[nodiscard]] bool has_names(const NameSets& wanted) {
    const auto has = [](NamesTable& table, const std::set<std::string_view>& texts) {
      return std::ranges::all_of(
          texts, [&table](std::string_view text) { return table.id_of(text) != kNoRow; });
    };
    return has(names.parameters, wanted.parameters) && has(names.tags, wanted.tags) &&
           has(names.files, wanted.files) && has(fact_names, wanted.facts) &&
           (!wanted.null_file || names.files.id_of_null() != kNoRow);
  }

  const SessionOptions options;

 private:
  const std::unique_ptr<SqlConnection> db_;  // before all that use it

 public:
  LocalTimestamps timestamps;
  CatalogNames names;
  NamesTable fact_names;
  HostsTable hosts;
  NodesTable nodes;
  HostRows rows;
  RowWriter writer;
  SqlStatement load_facts;

 private:
  static constexpr std::size_t kKnownMax = 100'000;

  SqlStatement data_version_;
  std::int64_t seen_version_ = -1;
  std::uint64_t epoch_ = 0;
  std::unordered_map<std::string, std::uint64_t> known_;  // node, epoch
};

}  // namespace stompbox::catalog

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "storage/catalog/schema_diff.h"
#include "storage/catalog/schema_time.h"
#include "storage/catalog/sqlite_connection.h"
#include "storage/catalog/sqlite_hosts.h"
#include "storage/catalog/sqlite_names.h"
#include "storage/catalog/sqlite_rows.h"
#include "storage/catalog/sqlite_writer.h"

namespace stompbox::catalog {

struct SessionOptions {
  StoreScope scope = StoreScope::kAll;
  std::uint32_t full_compare_every = 48;
};

// Everything that lives as long as one connection: statements, and what we know of the database.
// After any failure but a rolled back savepoint the whole of it is thrown away.
class SqliteSession {
 public:
  SqliteSession(std::unique_ptr<SqliteConnection> connection, SessionOptions session_options)
      : options(session_options),
        db_(std::move(connection)),
        names{{*db_, "param_names", "name"},
              {*db_, "puppet_tags", "name"},
              {*db_, "source_files", "filename"}},
        fact_names(*db_, "fact_names", "name"),
        hosts(*db_, fact_names),
        nodes(*db_),
        rows(*db_, names),
        writer(*db_, names, fact_names),
        load_facts(*db_,
                   "SELECT id, fact_name_id, value FROM fact_values WHERE host_id = ?1"
                   " ORDER BY id"),
        data_version_(*db_, "PRAGMA data_version") {}

  [[nodiscard]] SqliteConnection& db() { return *db_; }

  // Notices commits of other connections: what we remember has to be checked again.
  void look() {
    if (!data_version_.step()) return;
    const std::int64_t version = data_version_.integer(0);
    data_version_.reset();
    if (version == seen_version_) return;
    seen_version_ = version;
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

  const SessionOptions options;

 private:
  const std::unique_ptr<SqliteConnection> db_;  // before all that use it

 public:
  LocalTimestamps timestamps;
  CatalogNames names;
  SqliteNames fact_names;
  SqliteHosts hosts;
  SqliteNodes nodes;
  SqliteRows rows;
  SqliteWriter writer;
  SqliteStatement load_facts;

 private:
  static constexpr std::size_t kKnownMax = 100'000;

  SqliteStatement data_version_;
  std::int64_t seen_version_ = -1;
  std::uint64_t epoch_ = 0;
  std::unordered_map<std::string, std::uint64_t> known_;  // node, epoch
};

}  // namespace stompbox::catalog

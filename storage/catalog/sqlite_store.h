#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "storage/catalog/catalog_store.h"
#include "storage/catalog/database_session.h"
#include "storage/catalog/sqlite_batch.h"
#include "storage/catalog/sqlite_file.h"
#include "storage/catalog/sqlite_options.h"
#include "storage/catalog/sqlite_schema.h"

namespace stompbox::catalog {

// CatalogStore over one SQLite file. The file is looked at in each call: one that was deleted or
// replaced underneath is opened anew.
class SqliteStore final : public CatalogStore {
 public:
  explicit SqliteStore(SqliteOptions options) : options_(std::move(options)) {}

  storage::Status open() override;
  storage::Status probe() override;
  std::vector<SaveOutcome> save(std::span<const CatalogSave> saves) override;
  std::vector<SaveOutcome> save_facts(std::span<const FactsSave> saves) override;
  std::string description() const override;

 private:
  template <typename Work, typename Save>
  std::vector<SaveOutcome> save_each(std::span<const Save> saves);
  template <typename Work, typename Save>
  std::vector<std::unique_ptr<SaveWork>> next_works(std::span<const Save> saves);
  [[nodiscard]] storage::Status ensure_open();
  void close();

  const SqliteOptions options_;
  std::unique_ptr<DatabaseSession> session_;  // none: the next call opens
  std::unique_ptr<SqliteBatch> batch_;        // uses *session_
  std::optional<FileIdentity> file_;          // of session_
  std::string journal_mode_;
  SchemaOrigin schema_ = SchemaOrigin::kFound;
};

}  // namespace stompbox::catalog

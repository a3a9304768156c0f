#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/catalog/catalog_store.h"
#include "storage/catalog/database_session.h"
#include "storage/catalog/mysql_batch.h"
#include "storage/catalog/mysql_connection.h"
#include "storage/catalog/mysql_fit.h"
#include "storage/catalog/mysql_options.h"
#include "storage/catalog/mysql_schema.h"

namespace stompbox::catalog {

// CatalogStore over a MySQL or MariaDB database. Several stores, in several processes too, may
// write the same one. A connection that fails is given up; the next call makes another one.
class MysqlStore final : public CatalogStore {
 public:
  explicit MysqlStore(MysqlOptions options);

  storage::Status open() override;
  storage::Status probe() override;
  std::vector<SaveOutcome> save(std::span<const CatalogSave> saves) override;
  std::vector<SaveOutcome> save_facts(std::span<const FactsSave> saves) override;
  std::string description() const override;

 private:
  template <typename Work, typename Save>
  std::vector<SaveOutcome> save_each(std::span<const Save> saves);
  // Saves the first of them, as many as may be decided together; how many that were.
  template <typename Work, typename Save>
  std::size_t save_window(std::span<const Save> saves,
                          std::span<std::optional<SaveOutcome>> outcomes);
  [[nodiscard]] std::optional<storage::Error> misfit(const CatalogSave& save) const;
  [[nodiscard]] std::optional<storage::Error> misfit(const FactsSave& save) const;
  template <typename Save>
  struct Fitted;
  template <typename Save>
  [[nodiscard]] Fitted<Save> fit(const Save& save) const;
  [[nodiscard]] bool replaces() const;
  // Whether anything had to be replaced, and could be; then it has a warning more.
  template <typename Content>
  [[nodiscard]] bool replace(Content& content) const;
  [[nodiscard]] CatalogSave checked(const CatalogSave& save) const;
  [[nodiscard]] FactsSave checked(const FactsSave& save) const;
  [[nodiscard]] storage::Status ensure_open();
  void close();
  [[nodiscard]] StoreScope scope() const;

  const MysqlOptions options_;
  std::unique_ptr<DatabaseSession> session_;  // none: the next call opens
  std::unique_ptr<MysqlBatch> batch_;         // uses *session_
  std::optional<MysqlFit> fit_;
  std::string state_;  // of the open connection, for the description
};

// What may cost data or speed on this server, a sentence each.
[[nodiscard]] std::vector<std::string> mysql_warnings(const MysqlServer& server,
                                                      const MysqlTables& tables);

}  // namespace stompbox::catalog

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "storage/catalog/catalog_store.h"
#include "storage/catalog/database_session.h"
#include "storage/catalog/save_work.h"
#include "storage/catalog/sqlite_connection.h"
#include "storage/catalog/sqlite_courtesy.h"
#include "storage/catalog/sqlite_neighbours.h"

namespace stompbox::catalog {

// Puts saves into as few write transactions as possible, each of which holds the lock about as long
// as it may; a savepoint a save. A save that needs longer than that by itself gets its own.
class SqliteBatch {
 public:
  // `db` is the connection of the session. `neighbours`: of a database without WAL, where a reader
  // stops our commit and our commit stops readers.
  SqliteBatch(SqliteConnection& db, DatabaseSession& session, std::chrono::milliseconds lock_max,
              std::optional<SqliteNeighbours> neighbours = std::nullopt);

  // Outcomes of the first saves, in order and durable. Fewer than there are works: the connection
  // has failed, and nothing of the rest is stored. Each work has a node of its own.
  [[nodiscard]] std::vector<SaveOutcome> run(std::span<const std::unique_ptr<SaveWork>> works);

 private:
  using Clock = std::chrono::steady_clock;

  void plan(SaveWork& work);
  void save(SaveWork& work);
  void store(SaveWork& work);
  void fail_alone();
  void lose_transaction(const storage::Error& error);
  void look();
  void wait_for_others();
  void begin();
  void commit();
  void roll_back();
  [[nodiscard]] bool fits(const SaveWork& work) const;

  SqliteConnection& db_;
  DatabaseSession& session_;
  const std::optional<SqliteNeighbours> neighbours_;
  SqliteCourtesy courtesy_;
  const std::chrono::milliseconds lock_max_;
  SqlStatement begin_read_, begin_write_, commit_, savepoint_, release_, roll_back_to_;

  std::vector<SaveOutcome> durable_;
  std::vector<SaveOutcome> pending_;  // of the open transaction
  bool open_ = false;
  Clock::time_point locked_at_;
  std::size_t rows_ = 0;  // written under this lock
  // Learned; they only decide where a transaction ends.
  Clock::duration row_cost_{};
  Clock::duration commit_cost_{};
};

}  // namespace stompbox::catalog

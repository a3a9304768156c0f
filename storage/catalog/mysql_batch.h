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
#include "storage/catalog/mysql_connection.h"
#include "storage/catalog/save_work.h"

namespace stompbox::catalog {

// Puts saves into few transactions under row locks. No lock is global, so everything is read and
// decided under the locks of its node:
//
//   transaction:  a save:  savepoint ─▶ row of the node in our own table ─▶ plan ─▶ apply
//                 further saves, until the time is up ─▶ COMMIT
//   names:        lacks a name? ─▶ back to the savepoint; after the COMMIT, in a transaction of its
//                 own under the one lock of names: make what is missing; then the save once more
//
// Nodes are locked in sorted order, and who holds the lock of names waits for nothing else, so no
// two of us wait crosswise. Where masters do, or a cluster refuses a COMMIT, the transaction is
// made again from its beginning (rule 16). A name that the tables refuse, or that they do not give
// back as it was written although it was made again and again, is its message's fault.
class MysqlBatch {
 public:
  struct Limits {
    std::chrono::milliseconds transaction_max{50};
    unsigned attempts_max = 5;
  };

  // The session's connection is `db`; both outlive this.
  MysqlBatch(DatabaseSession& session, MysqlConnection& db, Limits limits);

  // Outcomes by work; nothing where it was not stored because the connection has failed. Each work
  // has a node of its own.
  [[nodiscard]] std::vector<std::optional<SaveOutcome>> run(
      std::span<const std::unique_ptr<SaveWork>> works);

 private:
  using Clock = std::chrono::steady_clock;
  enum class Step { kDone, kLacksNames, kFailed };

  // Saves as many of todo_ as fit into one transaction; false: undone, the connection has failed.
  [[nodiscard]] bool save_some();
  [[nodiscard]] Step save(SaveWork& work, std::optional<SaveOutcome>& outcome);
  [[nodiscard]] Step apply(SaveWork& work, std::string_view now,
                           std::optional<SaveOutcome>& outcome);
  [[nodiscard]] Step fail_alone(SaveWork& work, std::optional<SaveOutcome>& outcome);
  void begin();
  [[nodiscard]] bool commit();
  void sort_by_node();  // todo_
  // For the works in lacking_, which are ready to be saved again then; or for the first only.
  [[nodiscard]] bool make_names();
  // The tables refuse a name, which is one message's fault: finds it, by making them for each
  // alone.
  [[nodiscard]] bool single_out_names();
  [[nodiscard]] SaveOutcome give_up_names(const SaveWork& work);
  // Undoes what has failed. False: the connection is given up.
  [[nodiscard]] bool try_again();
  // The first of todo_ has had its attempts: the others go on without it, once in a run.
  [[nodiscard]] bool leave_out();

  DatabaseSession& session_;
  MysqlConnection& db_;
  const Limits limits_;
  SqlStatement lock_names_;

  // Of one run.
  std::span<const std::unique_ptr<SaveWork>> works_;
  std::vector<std::optional<SaveOutcome>> outcomes_;
  std::vector<std::size_t> todo_;     // in the order of their nodes
  std::vector<std::size_t> lacking_;  // names: of the last transaction
  std::vector<unsigned> names_made_;  // by work: how often
  bool names_alone_ = false;          // for one work of lacking_ at a time
  unsigned attempts_ = 0;             // since something was stored
  bool left_out_ = false;
};

}  // namespace stompbox::catalog

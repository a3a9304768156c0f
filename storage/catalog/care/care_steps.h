#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/sql.h"
#include "storage/result.h"

// What all care of a database has in common: short looks, short locks, and somebody who watches.
// Masters that write beside us have no busy timeout (rule 15).
namespace stompbox::catalog::care {

class CareWatch {
 public:
  virtual ~CareWatch() = default;
  // So much of the work of this name is done; often, so that it has to be cheap.
  virtual void on_progress(std::string_view work, std::uint64_t done, std::uint64_t all) = 0;
  // Between two transactions: waits, so that others have their turn.
  virtual void rest(std::chrono::milliseconds time) = 0;
};

// A table in windows of ids, each with a bounded number of rows.
class IdWindows {
 public:
  static constexpr std::size_t kRows = 2'000;

  IdWindows(SqlConnection& db, const std::string& table);

  struct Window {
    std::int64_t after = 0;    // exclusive
    std::int64_t through = 0;  // inclusive
  };
  // Nothing at the end, or when the connection has failed.
  [[nodiscard]] std::optional<Window> next();

 private:
  SqlStatement end_;
  std::int64_t after_ = 0;
};

// "… WHERE c.id > ?1 AND c.id <= ?2" is what a statement over windows ends with; binds both.
void bind(SqlStatement& statement, const IdWindows::Window& window);

// Rows of a table, counted in windows.
[[nodiscard]] std::uint64_t count_rows(SqlConnection& db, const std::string& table);

// Runs `body` in a write transaction; the whole of it again, a few times, when the transaction lost
// against somebody else's lock (rule 16). After an error nothing of it is stored, and the
// connection has no failure any more.
[[nodiscard]] storage::Status in_write_transaction(SqlConnection& db,
                                                   const std::function<void()>& body);

// The connection's failure as a value, if there is one; the connection has none any more.
[[nodiscard]] storage::Status take_failure(SqlConnection& db);

// Whether there is our own table: a database that only Puppet has written has none.
enum class OwnTable : std::uint8_t { kMissing, kThere };
[[nodiscard]] OwnTable look_for_own_table(SqlConnection& db);

// Keeps the node ours till the COMMIT, as a save does and in the same order: our record, then the
// row of `hosts`. Inside a write transaction, before anything is read.
void lock_node(SqlConnection& db, OwnTable own, std::string_view name, std::int64_t host_id);

// Rows of `hosts` of exactly that name, which a server's collation may not tell from others; locked
// till the COMMIT. Inside a write transaction.
[[nodiscard]] std::vector<std::int64_t> hosts_named(SqlConnection& db, std::string_view name);

// The next save of the node compares all rows, whatever our record says. Inside a transaction; with
// an own table only.
void distrust_record(SqlConnection& db, OwnTable own, std::string_view node);

// Tells the time of the locks that were held, and rests three times as long.
class LockPause {
 public:
  explicit LockPause(CareWatch& watch) : watch_(watch) {}
  void begin() { since_ = std::chrono::steady_clock::now(); }
  void end();
  [[nodiscard]] std::chrono::milliseconds longest() const { return longest_; }

 private:
  CareWatch& watch_;
  std::chrono::steady_clock::time_point since_;
  std::chrono::milliseconds longest_{0};
};

}  // namespace stompbox::catalog::care

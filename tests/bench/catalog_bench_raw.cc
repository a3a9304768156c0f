#include "tests/bench/catalog_bench_raw.h"

#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string_view>
#include <vector>

#include "tests/bench/catalog_bench_clock.h"

namespace stompbox::bench {
namespace {

struct Connection {
  explicit Connection(const std::string& path) {
    if (sqlite3_open(path.c_str(), &raw) != SQLITE_OK) fail();
  }
  ~Connection() { sqlite3_close(raw); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[noreturn]] void fail() const {
    std::cerr << "catalog_bench: " << sqlite3_errmsg(raw) << '\n';
    std::exit(1);
  }
  void run(const std::string& sql) const {
    if (sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
  }

  sqlite3* raw = nullptr;
};

struct Statement {
  Statement(const Connection& of, const std::string& sql) : connection(of) {
    if (sqlite3_prepare_v2(of.raw, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) of.fail();
  }
  ~Statement() { sqlite3_finalize(raw); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  [[nodiscard]] bool step() const {
    const int result = sqlite3_step(raw);
    if (result != SQLITE_ROW && result != SQLITE_DONE) connection.fail();
    return result == SQLITE_ROW;
  }

  const Connection& connection;
  sqlite3_stmt* raw = nullptr;
};

struct Table {
  std::string_view name, columns;
  int width;
  std::string_view rows_of_host;
};

// What a first save writes for a host, but for its one row in `hosts` and in our own table.
constexpr std::array kTables = {
    Table{"resources",
          "id, title, restype, host_id, source_file_id, exported, line, updated_at, created_at", 9,
          " WHERE host_id = ?1 ORDER BY id"},
    Table{"param_values", "id, value, param_name_id, line, resource_id, updated_at, created_at", 7,
          " WHERE resource_id IN (SELECT id FROM resources WHERE host_id = ?1) ORDER BY id"},
    Table{"resource_tags", "id, resource_id, puppet_tag_id, updated_at, created_at", 5,
          " WHERE resource_id IN (SELECT id FROM resources WHERE host_id = ?1) ORDER BY id"},
};

// Cells of one host and table, row by row.
using Cells = std::vector<std::unique_ptr<sqlite3_value, decltype(&sqlite3_value_free)>>;

Cells cells_of(const Connection& from, const Table& table, std::int64_t host) {
  const Statement select(from, "SELECT " + std::string(table.columns) + " FROM " +
                                   std::string(table.name) + std::string(table.rows_of_host));
  sqlite3_bind_int64(select.raw, 1, host);
  Cells cells;
  while (select.step()) {
    for (int i = 0; i < table.width; ++i) {
      cells.emplace_back(sqlite3_value_dup(sqlite3_column_value(select.raw, i)),
                         &sqlite3_value_free);
    }
  }
  return cells;
}

// Inserts into one table, so many rows a statement, those that are left one by one.
class Inserter {
 public:
  Inserter(const Connection& into, const Table& table, std::size_t rows)
      : width_(static_cast<std::size_t>(table.width)),
        rows_(rows),
        many_(into, sql(table, rows)),
        one_(into, sql(table, 1)) {}

  // How many rows they were.
  std::size_t insert(const Cells& cells) {
    const std::size_t count = cells.size() / width_;
    for (std::size_t done = 0; done < count;) {
      const std::size_t rows = count - done >= rows_ ? rows_ : 1;
      const Statement& statement = rows == 1 ? one_ : many_;
      for (std::size_t i = 0; i < rows * width_; ++i) {
        bind(statement, static_cast<int>(i) + 1, cells[done * width_ + i].get());
      }
      static_cast<void>(statement.step());
      sqlite3_reset(statement.raw);
      done += rows;
    }
    return count;
  }

 private:
  static void bind(const Statement& statement, int place, sqlite3_value* cell) {
    if (sqlite3_value_type(cell) != SQLITE_TEXT) {
      sqlite3_bind_value(statement.raw, place, cell);
      return;
    }
    sqlite3_bind_text(statement.raw, place, reinterpret_cast<const char*>(sqlite3_value_text(cell)),
                      sqlite3_value_bytes(cell), SQLITE_STATIC);
  }

  static std::string sql(const Table& table, std::size_t rows) {
    std::string text = "INSERT OR FAIL INTO " + std::string(table.name) + " (" +
                       std::string(table.columns) + ") VALUES ";
    for (std::size_t row = 0; row < rows; ++row) {
      text += row == 0 ? "(?" : ", (?";
      for (int i = 1; i < table.width; ++i)
        text += ", ?";
      text += ')';
    }
    return text;
  }

  const std::size_t width_, rows_;
  const Statement many_, one_;
};

std::vector<std::int64_t> hosts_in(const Connection& from, std::size_t hosts_max) {
  const Statement select(from,
                         "SELECT id FROM hosts ORDER BY id LIMIT " + std::to_string(hosts_max));
  std::vector<std::int64_t> hosts;
  while (select.step())
    hosts.push_back(sqlite3_column_int64(select.raw, 0));
  return hosts;
}

}  // namespace

RawFigures insert_raw(const std::string& from, const std::string& into, const RawShape& shape) {
  const Connection source(from), target(into);
  target.run(
      "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-32768;"
      " PRAGMA wal_autocheckpoint=8192;");
  std::array inserters = {Inserter(target, kTables[0], shape.rows_a_statement),
                          Inserter(target, kTables[1], shape.rows_a_statement),
                          Inserter(target, kTables[2], shape.rows_a_statement)};
  const std::vector<std::int64_t> hosts = hosts_in(source, shape.hosts_max);
  RawFigures figures;
  for (std::size_t begin = 0; begin < hosts.size(); begin += shape.hosts_a_transaction) {
    std::vector<std::array<Cells, 3>> rows;
    for (std::size_t i = begin; i < hosts.size() && i < begin + shape.hosts_a_transaction; ++i) {
      rows.push_back({cells_of(source, kTables[0], hosts[i]),
                      cells_of(source, kTables[1], hosts[i]),
                      cells_of(source, kTables[2], hosts[i])});
    }
    const Stopwatch watch;
    target.run("BEGIN IMMEDIATE");
    for (const auto& of_host : rows) {
      for (std::size_t i = 0; i < of_host.size(); ++i)
        figures.rows += inserters[i].insert(of_host[i]);
    }
    target.run("COMMIT");
    figures.seconds += watch.seconds();
    figures.cpu_seconds += watch.cpu_seconds();
  }
  figures.hosts = hosts.size();
  return figures;
}

}  // namespace stompbox::bench

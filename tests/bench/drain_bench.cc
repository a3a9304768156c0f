// drain_bench [FOLDER] [NODES]: catalogs a second into SQLite, against raw inserts of the very same
// rows into the same tables and indices, in the same run on the same disk. Prints `name=value
// unit`.

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "storage/catalog/read_catalog.h"
#include "storage/catalog/sqlite_connection.h"
#include "storage/catalog/sqlite_open.h"
#include "storage/catalog/sqlite_schema.h"
#include "tests/support/sample_catalogs.h"

namespace {

using namespace stompbox;
using Clock = std::chrono::steady_clock;
using catalog::Catalog;
using catalog::SqliteAccess;
using catalog::SqliteConnection;
using catalog::SqliteStatement;

constexpr std::size_t kWindow = 256;  // what the drain stage hands over at once
constexpr std::chrono::milliseconds kLockMax{50};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void print(std::string_view name, double value, std::string_view unit) {
  std::cout << name << '=' << value << ' ' << unit << std::endl;
}

void fail(const std::string& why) {
  std::cerr << "drain_bench: " << why << '\n';
  std::exit(1);
}

std::vector<Catalog> catalogs(std::size_t nodes, std::size_t changed_percent,
                              std::uint32_t generation) {
  support::SampleShape shape;
  shape.changed_percent = changed_percent;
  shape.generation = generation;
  std::vector<Catalog> made;
  for (std::size_t i = 0; i < nodes; ++i)
    made.push_back(support::sample_catalog(i, shape));
  return made;
}

double save_all(catalog::CatalogStore& store, const std::vector<Catalog>& all,
                std::uint64_t& arrival, catalog::SaveStatus expected) {
  std::vector<catalog::CatalogSave> saves;
  for (const Catalog& each : all)
    saves.push_back({&each, {"bench", ++arrival}});
  const auto start = Clock::now();
  for (std::size_t at = 0; at < saves.size(); at += kWindow) {
    const auto window = std::span(saves).subspan(at, std::min(kWindow, saves.size() - at));
    for (const catalog::SaveOutcome& outcome : store.save(window)) {
      if (outcome.status != expected) fail("a save ended otherwise: " + outcome.error.text);
    }
  }
  return seconds_since(start);
}

// Rows of one table, as read from what the store wrote.
struct Table {
  std::string name;
  int columns = 0;
  std::vector<std::variant<std::monostate, std::int64_t, std::string>> cells;
  std::vector<std::size_t> ends;  // per catalog: how many cells up to it
};

std::variant<std::monostate, std::int64_t, std::string> cell(sqlite3_stmt* row, int column) {
  const int type = sqlite3_column_type(row, column);
  if (type == SQLITE_NULL) return std::monostate{};
  if (type == SQLITE_INTEGER) return sqlite3_column_int64(row, column);
  return std::string(reinterpret_cast<const char*>(sqlite3_column_text(row, column)));
}

// In the order of writing: host by host, each by id. `host_sql` gives the host of row t.
Table read_table(SqliteConnection& db, const std::string& name, const std::string& host_sql) {
  Table table{name, 0, {}, {}};
  const std::string sql =
      "SELECT t.*, " + host_sql + " AS host FROM " + name + " t ORDER BY host, t.id";
  sqlite3_stmt* rows = nullptr;
  if (sqlite3_prepare_v2(db.raw(), sql.c_str(), -1, &rows, nullptr) != SQLITE_OK) fail(sql);
  table.columns = sqlite3_column_count(rows) - 1;
  std::int64_t host = 0;
  while (sqlite3_step(rows) == SQLITE_ROW) {
    const std::int64_t next = sqlite3_column_int64(rows, table.columns);
    if (next != host && host != 0) table.ends.push_back(table.cells.size());
    host = next;
    for (int i = 0; i < table.columns; ++i)
      table.cells.push_back(cell(rows, i));
  }
  sqlite3_finalize(rows);
  table.ends.push_back(table.cells.size());
  return table;
}

std::vector<Table> read_rows(const std::string& path) {
  auto db = SqliteConnection::open(path, SqliteAccess::kReadWrite, std::chrono::seconds(5));
  if (!db) fail(db.error().text);
  const std::string of_resource = "(SELECT host_id FROM resources r WHERE r.id = t.resource_id)";
  std::vector<Table> tables;
  for (const char* names : {"param_names", "puppet_tags", "source_files"}) {
    tables.push_back(read_table(**db, names, "0"));
  }
  tables.push_back(read_table(**db, "hosts", "t.id"));
  tables.push_back(read_table(**db, "resources", "t.host_id"));
  tables.push_back(read_table(**db, "param_values", of_resource));
  tables.push_back(read_table(**db, "resource_tags", of_resource));
  if ((*db)->failed()) fail((*db)->error().text);
  return tables;
}

std::string insert_of(const Table& table) {
  std::string sql = "INSERT INTO " + table.name + " VALUES (?";
  for (int i = 1; i < table.columns; ++i)
    sql += ", ?";
  return sql + ")";
}

struct RawResult {
  double seconds = 0;
  std::size_t rows = 0;
};

// Prepared inserts, the ids given, nothing looked up; one transaction as long as ours may be.
class RawInserts {
 public:
  RawInserts(SqliteConnection& db, const std::vector<Table>& tables) : db_(db), tables_(tables) {
    for (const Table& table : tables) {
      statements_.push_back(std::make_unique<SqliteStatement>(db, insert_of(table)));
    }
  }

  RawResult run() {
    const auto start = Clock::now();
    begin();
    for (std::size_t i = 0; i < 3; ++i)
      insert(i, 0, tables_[i].cells.size());
    const std::size_t hosts = tables_[3].ends.size();
    for (std::size_t host = 0; host < hosts; ++host) {
      for (std::size_t i = 3; i < tables_.size(); ++i) {
        insert(i, host == 0 ? 0 : tables_[i].ends[host - 1], tables_[i].ends[host]);
      }
      if (Clock::now() - locked_ > kLockMax) {
        db_.run("COMMIT");
        begin();
      }
    }
    db_.run("COMMIT");
    return {seconds_since(start), rows_};
  }

 private:
  void begin() {
    db_.run("BEGIN IMMEDIATE");
    locked_ = Clock::now();
  }

  void insert(std::size_t table, std::size_t begin, std::size_t end) {
    SqliteStatement& statement = *statements_[table];
    const auto columns = static_cast<std::size_t>(tables_[table].columns);
    for (std::size_t at = begin; at < end; at += columns) {
      for (std::size_t i = 0; i < columns; ++i) {
        const auto& cell = tables_[table].cells[at + i];
        const int index = static_cast<int>(i) + 1;
        if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
          statement.bind(index, *integer);
        } else if (const auto* text = std::get_if<std::string>(&cell)) {
          statement.bind(index, std::string_view(*text));
        } else {
          statement.bind_null(index);
        }
      }
      statement.run();
      ++rows_;
    }
  }

  SqliteConnection& db_;
  const std::vector<Table>& tables_;
  std::vector<std::unique_ptr<SqliteStatement>> statements_;
  Clock::time_point locked_;
  std::size_t rows_ = 0;
};

RawResult raw_inserts(const std::string& path, const std::vector<Table>& tables) {
  std::filesystem::remove(path);
  sqlite3* made = nullptr;
  sqlite3_open(path.c_str(), &made);
  sqlite3_exec(made, "PRAGMA journal_mode=WAL", nullptr, nullptr, nullptr);
  sqlite3_exec(made, catalog::fresh_schema().c_str(), nullptr, nullptr, nullptr);
  sqlite3_close(made);
  auto db = SqliteConnection::open(path, SqliteAccess::kReadWrite, std::chrono::seconds(5));
  if (!db) fail(db.error().text);
  (*db)->run("PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-32768");
  const RawResult result = RawInserts(**db, tables).run();
  if ((*db)->failed()) fail((*db)->error().text);
  return result;
}

std::unique_ptr<catalog::CatalogStore> fresh_store(const std::string& path) {
  for (const char* end : {"", "-wal", "-shm"})
    std::filesystem::remove(path + end);
  catalog::SqliteOptions options;
  options.path = path;
  options.lock_max = kLockMax;
  auto store = catalog::make_sqlite_store(options);
  if (const auto opened = store->open(); !opened) fail(opened.error().text);
  return store;
}

void append_quoted(std::string& json, std::string_view text) {
  json += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    if (c == '\n') {
      json += "\\n";
    } else {
      json += c;
    }
  }
  json += '"';
}

template <typename Items, typename Append>
void append_list(std::string& json, std::string_view brackets, const Items& items, Append append) {
  json += brackets[0];
  for (const auto& item : items) {
    if (&item != &items.front()) json += ',';
    append(item);
  }
  json += brackets[1];
}

void append_resource(std::string& json, const catalog::Resource& resource) {
  const auto quoted = [&json](const std::string& text) { append_quoted(json, text); };
  json += R"({"type":)";
  quoted(resource.type);
  json += R"(,"title":)";
  quoted(resource.title);
  json += R"(,"file":)";
  quoted(*resource.file);
  json += R"(,"line":)" + std::to_string(*resource.line);
  json += R"(,"exported":)" + std::string(resource.exported ? "true" : "false") + R"(,"tags":)";
  append_list(json, "[]", resource.tags, quoted);
  json += R"(,"parameters":)";
  append_list(json, "{}", resource.parameters, [&](const catalog::Parameter& parameter) {
    quoted(parameter.name);
    json += ':';
    if (parameter.values.size() == 1) return quoted(parameter.values[0]);
    append_list(json, "[]", parameter.values, quoted);
  });
  json += '}';
}

// The catalog as a 3.x master would send it, without edges.
std::string message_of(const Catalog& catalog) {
  std::string json = R"({"document_type":"Catalog","data":{"name":")" + catalog.node +
                     R"(","environment":"production","version":1,"resources":)";
  append_list(json, "[]", catalog.resources,
              [&json](const catalog::Resource& resource) { append_resource(json, resource); });
  return json + R"(},"metadata":{"api_version":1}})";
}

double read_and_save_all(catalog::CatalogStore& store, const std::vector<std::string>& messages,
                         std::uint64_t& arrival, catalog::SaveStatus expected) {
  const auto start = Clock::now();
  std::vector<Catalog> window;
  for (const std::string& message : messages) {
    auto read = catalog::read_catalog(message, {});
    if (!read) fail(read.error().text);
    window.push_back(std::move(*read));
    if (window.size() < kWindow && &message != &messages.back()) continue;
    save_all(store, window, arrival, expected);
    window.clear();
  }
  return seconds_since(start);
}

void measure_from_messages(const std::string& path, const std::vector<Catalog>& all,
                           std::uint64_t& arrival) {
  std::vector<std::string> messages;
  double bytes = 0;
  for (const Catalog& each : all) {
    messages.push_back(message_of(each));
    bytes += static_cast<double>(messages.back().size());
  }
  const auto count = static_cast<double>(all.size());
  print("message", bytes / count, "bytes");
  const auto store = fresh_store(path);
  const double first = read_and_save_all(*store, messages, arrival, catalog::SaveStatus::kStored);
  print("message_to_first_save", count / first, "catalogs/s");
  const double unchanged =
      read_and_save_all(*store, messages, arrival, catalog::SaveStatus::kUnchanged);
  print("message_to_unchanged", count / unchanged, "catalogs/s");
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path folder = std::filesystem::path(argc > 1 ? argv[1] : "/tmp") /
                                       ("drain_bench." + std::to_string(getpid()));
  const std::size_t nodes = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 300;
  std::filesystem::create_directory(folder);
  const std::string ours = folder / "ours.sqlite3", raw = folder / "raw.sqlite3";
  const auto count = static_cast<double>(nodes);
  std::uint64_t arrival = 0;

  const auto first = catalogs(nodes, 0, 0);
  double first_seconds = 1e9, raw_seconds = 1e9;
  std::size_t rows = 0;
  std::unique_ptr<catalog::CatalogStore> store;
  for (int round = 0; round < 2; ++round) {
    store = fresh_store(ours);
    first_seconds =
        std::min(first_seconds, save_all(*store, first, arrival, catalog::SaveStatus::kStored));
    const RawResult inserted = raw_inserts(raw, read_rows(ours));
    raw_seconds = std::min(raw_seconds, inserted.seconds);
    rows = inserted.rows;
  }
  print("raw_rows", static_cast<double>(rows) / raw_seconds, "rows/s");
  print("raw", count / raw_seconds, "catalogs/s");
  print("first_save", count / first_seconds, "catalogs/s");
  print("first_save_of_raw", raw_seconds / first_seconds, "ratio");

  const auto changed = catalogs(nodes, 3, 1);
  const double changed_seconds = save_all(*store, changed, arrival, catalog::SaveStatus::kStored);
  print("changed_3_percent", count / changed_seconds, "catalogs/s");

  const auto kUnchanged = catalog::SaveStatus::kUnchanged;
  const double unchanged_seconds = save_all(*store, changed, arrival, kUnchanged);
  print("unchanged", count / unchanged_seconds, "catalogs/s");
  print("unchanged_of_first", first_seconds / unchanged_seconds, "ratio");

  // A new connection has to look at the witness of each node; so has one after a master has
  // written.
  store.reset();
  catalog::SqliteOptions options;
  options.path = ours;
  store = catalog::make_sqlite_store(options);
  if (const auto opened = store->open(); !opened) fail(opened.error().text);
  const double witness_seconds = save_all(*store, changed, arrival, kUnchanged);
  print("unchanged_by_witness", count / witness_seconds, "catalogs/s");
  print("unchanged_by_witness_of_first", first_seconds / witness_seconds, "ratio");

  options.full_compare_every = 1;
  store = catalog::make_sqlite_store(options);
  if (const auto opened = store->open(); !opened) fail(opened.error().text);
  const double compared_seconds = save_all(*store, changed, arrival, kUnchanged);
  print("unchanged_compared", count / compared_seconds, "catalogs/s");
  print("unchanged_compared_of_first", first_seconds / compared_seconds, "ratio");

  store.reset();
  measure_from_messages(ours, first, arrival);
  std::filesystem::remove_all(folder);
  return 0;
}

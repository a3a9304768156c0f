#include "storage/catalog/care/store_figures.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "storage/catalog/care/host_image.h"
#include "storage/catalog/schema.h"

namespace stompbox::catalog::care {
namespace {

using storage::Result;

struct Names {
  std::string_view table, user, column;
};
constexpr Names kNames[] = {{"param_names", "param_values", "param_name_id"},
                            {"puppet_tags", "resource_tags", "puppet_tag_id"},
                            {"fact_names", "fact_values", "fact_name_id"},
                            {"source_files", "resources", "source_file_id"}};

bool is_sqlite(SqlConnection& db) {
  return db.dialect().kind == SqlKind::kSqlite;
}

std::uint64_t number_of(SqlConnection& db, const std::string& sql) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(integer_of(db, sql), 0));
}

// What refers to names, in windows: not every database has an index that would tell.
std::unordered_set<std::int64_t> used_names(SqlConnection& db, const Names& names) {
  std::string sql = "SELECT DISTINCT c.";
  sql.append(names.column).append(" FROM ").append(names.user);
  sql.append(" c WHERE c.id > ?1 AND c.id <= ?2");
  IdWindows windows(db, std::string(names.user));
  SqlStatement select(db, sql);
  std::unordered_set<std::int64_t> used;
  while (const auto window = windows.next()) {
    bind(select, *window);
    while (select.step())
      used.insert(select.integer(0));
  }
  return used;
}

std::optional<std::uint64_t> unused_names(SqlConnection& db, std::string_view table) {
  const auto* const names = std::ranges::find(kNames, table, &Names::table);
  if (names == std::end(kNames)) return std::nullopt;
  const std::unordered_set<std::int64_t> used = used_names(db, *names);
  IdWindows windows(db, std::string(table));
  SqlStatement ids(db,
                   "SELECT c.id FROM " + std::string(table) + " c WHERE c.id > ?1 AND c.id <= ?2");
  std::uint64_t unused = 0;
  while (const auto window = windows.next()) {
    bind(ids, *window);
    while (ids.step())
      unused += used.contains(ids.integer(0)) ? 0 : 1;
  }
  return unused;
}

// Table by table. Without WAL a look at all pages of one would keep masters from committing.
std::optional<std::uint64_t> sqlite_bytes(SqlConnection& db, const std::string& table) {
  const auto bytes = text_of(db,
                             "SELECT sum(s.pgsize) FROM sqlite_master m JOIN dbstat s ON s.name ="
                             " m.name WHERE m.tbl_name = '" +
                                 table + "'");
  if (db.failed()) {  // a library without this table
    db.clear_failure();
    return std::nullopt;
  }
  return bytes && !bytes->empty() ? std::optional<std::uint64_t>(std::stoull(*bytes)) : 0;
}

std::optional<std::uint64_t> bytes_of(SqlConnection& db, const std::string& table) {
  if (!is_sqlite(db)) {
    return number_of(db,
                     "SELECT coalesce(data_length + index_length, 0) FROM"
                     " information_schema.tables WHERE table_schema = database() AND"
                     " table_name = '" +
                         table + "'");
  }
  if (text_of(db, "PRAGMA journal_mode") != "wal") return std::nullopt;
  return sqlite_bytes(db, table);
}

void read_space(SqlConnection& db, StoreFigures& figures) {
  if (is_sqlite(db)) {
    const std::uint64_t page = number_of(db, "PRAGMA page_size");
    figures.bytes = page * number_of(db, "PRAGMA page_count");
    figures.free_bytes = page * number_of(db, "PRAGMA freelist_count");
    return;
  }
  const std::string of = " FROM information_schema.tables WHERE table_schema = database()";
  figures.bytes = number_of(db, "SELECT coalesce(sum(data_length + index_length), 0)" + of);
  figures.free_bytes = number_of(db, "SELECT coalesce(sum(data_free), 0)" + of);
}

void read_biggest(SqlConnection& db, std::size_t count_max, StoreFigures& figures,
                  CareWatch& watch) {
  SqlStatement resources(db, "SELECT count(*) FROM resources WHERE host_id = ?1");
  SqlStatement values(db,
                      "SELECT count(*) FROM resources r JOIN param_values v ON v.resource_id ="
                      " r.id WHERE r.host_id = ?1");
  const auto count = [](SqlStatement& statement, std::int64_t host) {
    statement.bind(1, host);
    const bool found = statement.step();
    const auto number = found ? static_cast<std::uint64_t>(statement.integer(0)) : 0;
    statement.reset();
    return number;
  };
  const std::vector<HostName> hosts = host_names(db);
  figures.nodes = hosts.size();
  for (const HostName& host : hosts) {
    watch.on_progress("nodes", figures.biggest.size(), hosts.size());
    figures.biggest.push_back({host.name, count(resources, host.id), count(values, host.id)});
  }
  std::ranges::stable_sort(figures.biggest, std::ranges::greater{},
                           [](const NodeFigures& node) { return node.resources + node.values; });
  if (figures.biggest.size() > count_max) figures.biggest.resize(count_max);
}

}  // namespace

Result<StoreFigures> figures_of(SqlConnection& db, std::size_t biggest_count, CareWatch& watch) {
  StoreFigures figures;
  for (const TableSpec& spec : needed_tables()) {
    const std::string name(spec.name);
    watch.on_progress("tables", figures.tables.size(), needed_tables().size());
    figures.tables.push_back(
        {name, count_rows(db, name), bytes_of(db, name), unused_names(db, name)});
  }
  read_space(db, figures);
  read_biggest(db, biggest_count, figures, watch);
  if (const auto status = take_failure(db); !status) return status.error();
  return figures;
}

}  // namespace stompbox::catalog::care

#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/catalog/bulk.h"
#include "tests/bench/catalog_bench_clock.h"
#include "tests/bench/catalog_bench_raw.h"

namespace stompbox::bench {
namespace {

using catalog::BulkInsert;
using catalog::SqlConnection;
using catalog::SqlStatement;

struct Table {
  const char* name;
  const char* columns;
  std::size_t width;
  const char* rows_of_host;
};

// What a first save writes for a host, but for its one row in `hosts` and in our own table.
constexpr const char* kOfHost =
    " WHERE resource_id IN (SELECT id FROM resources WHERE host_id = ?1) ORDER BY id";
constexpr std::array kTables = {
    Table{"resources", "id, title, restype, host_id, source_file_id, exported, line", 7,
          " WHERE host_id = ?1 ORDER BY id"},
    Table{"param_values", "id, value, param_name_id, resource_id", 4, kOfHost},
    Table{"resource_tags", "id, resource_id, puppet_tag_id", 3, kOfHost},
};

using Cells = std::vector<std::optional<std::string>>;

[[noreturn]] void fail(const std::string& why) {
  std::cerr << "catalog_bench: " << why << '\n';
  std::_Exit(1);
}

std::unique_ptr<SqlConnection> connect(const catalog::CatalogPlace& place) {
  auto connection = catalog::open_catalog_connection(place, catalog::ConnectionUse::kWrite);
  if (!connection) fail(connection.error().text);
  return std::move(*connection);
}

void check(const SqlConnection& db) {
  if (db.failed()) fail(db.error().text);
}

Cells cells_of(SqlConnection& from, const Table& table, std::int64_t host) {
  SqlStatement select(
      from, std::string("SELECT ") + table.columns + " FROM " + table.name + table.rows_of_host);
  Cells cells;
  select.bind(1, host);
  while (select.step()) {
    for (std::size_t i = 0; i < table.width; ++i)
      cells.push_back(select.text_or_null(static_cast<int>(i)));
  }
  check(from);
  return cells;
}

// As texts, which the server turns into what the columns are. How many rows they were.
std::size_t insert(BulkInsert& into, std::size_t width, const Cells& cells, std::string_view now) {
  const auto cell = [&cells](std::size_t at) {
    return cells[at] ? BulkInsert::Cell(std::string_view(*cells[at])) : BulkInsert::Cell();
  };
  for (std::size_t at = 0; at < cells.size(); at += width) {
    if (width == 7) {
      into.add(now, cell(at), cell(at + 1), cell(at + 2), cell(at + 3), cell(at + 4), cell(at + 5),
               cell(at + 6));
    } else if (width == 4) {
      into.add(now, cell(at), cell(at + 1), cell(at + 2), cell(at + 3));
    } else {
      into.add(now, cell(at), cell(at + 1), cell(at + 2));
    }
  }
  static_cast<void>(into.flush(now));
  return cells.size() / width;
}

std::vector<std::int64_t> hosts_in(SqlConnection& from, std::size_t hosts_max) {
  SqlStatement select(from, "SELECT id FROM hosts ORDER BY id LIMIT " + std::to_string(hosts_max));
  std::vector<std::int64_t> hosts;
  while (select.step())
    hosts.push_back(select.integer(0));
  check(from);
  return hosts;
}

}  // namespace

RawFigures insert_raw_into_server(const catalog::CatalogPlace& place, const RawShape& shape) {
  constexpr std::string_view kNow = "2026-01-01 00:00:00";
  const auto source = connect(place);
  source->run("CREATE DATABASE raw");
  check(*source);
  catalog::CatalogPlace other = place;
  other.mysql.database = "raw";
  if (const auto made = catalog::make_catalog_store(other)->open(); !made) fail(made.error().text);
  const auto target = connect(other);
  std::vector<std::unique_ptr<BulkInsert>> inserts;
  for (const Table& table : kTables)
    inserts.push_back(
        std::make_unique<BulkInsert>(*target, table.name, table.columns, table.width));
  const std::vector<std::int64_t> hosts = hosts_in(*source, shape.hosts_max);
  RawFigures figures;
  for (std::size_t begin = 0; begin < hosts.size(); begin += shape.hosts_a_transaction) {
    std::vector<std::array<Cells, 3>> rows;
    for (std::size_t i = begin; i < hosts.size() && i < begin + shape.hosts_a_transaction; ++i) {
      rows.push_back({cells_of(*source, kTables[0], hosts[i]),
                      cells_of(*source, kTables[1], hosts[i]),
                      cells_of(*source, kTables[2], hosts[i])});
    }
    const Stopwatch watch;
    target->run("START TRANSACTION");
    for (const auto& of_host : rows) {
      for (std::size_t i = 0; i < of_host.size(); ++i)
        figures.rows += insert(*inserts[i], kTables[i].width, of_host[i], kNow);
    }
    target->run("COMMIT");
    figures.seconds += watch.seconds();
    figures.cpu_seconds += watch.cpu_seconds();
    check(*target);
  }
  figures.hosts = hosts.size();
  source->run("DROP DATABASE raw");
  return figures;
}

}  // namespace stompbox::bench

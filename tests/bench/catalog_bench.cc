// catalog_bench [--mariadb] [--workers N] [FOLDER] [NODES] [FIRST CHANGED UNCHANGED]: catalog
// messages read and stored: the first time, with 3 % changed, unchanged, and changed back by stores
// that have seen the nodes before; then queries of exported resources, and the same rows inserted
// without any of that. The three folders hold messages, a file a node (gen-catalogs.py); without
// them messages are made. Prints `name=value unit`.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "storage/catalog/catalog_place.h"
#include "storage/catalog/reading/read_catalog.h"
#include "storage/catalog/reading/read_outline.h"
#include "tests/bench/catalog_bench_clock.h"
#include "tests/bench/catalog_bench_places.h"
#include "tests/bench/catalog_bench_raw.h"
#include "tests/bench/catalog_messages.h"

namespace {

using namespace stompbox;
using bench::BenchDatabase;
using bench::CatalogMessages;
using bench::Generation;
using bench::Stopwatch;
using catalog::SaveStatus;
using Stores = std::vector<std::unique_ptr<catalog::CatalogStore>>;

constexpr std::size_t kChunk = 32;  // what a worker saves at once

struct Arguments {
  bool mariadb = false;
  unsigned workers = 1;
  std::string folder = "/tmp";
  std::size_t nodes = 300;
  std::vector<std::string> messages;  // three folders, or none
};

void print(const std::string& name, double value, const char* unit) {
  std::cout << name << '=' << value << ' ' << unit << std::endl;
}

[[noreturn]] void fail(const std::string& why) {
  std::cerr << "catalog_bench: " << why << '\n';
  std::_Exit(1);
}

Arguments read_arguments(std::span<char*> words) {
  Arguments arguments;
  std::vector<std::string> plain;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "--mariadb") {
      arguments.mariadb = true;
    } else if (word == "--workers" && i + 1 < words.size()) {
      arguments.workers = static_cast<unsigned>(std::max(1, std::atoi(words[++i])));
    } else {
      plain.emplace_back(word);
    }
  }
  if (!plain.empty()) arguments.folder = plain[0];
  if (plain.size() > 1) arguments.nodes = std::strtoul(plain[1].c_str(), nullptr, 10);
  if (plain.size() > 4) arguments.messages.assign(plain.begin() + 2, plain.begin() + 5);
  return arguments;
}

// As the drain does it: an outline where that can be told, the whole when the store asks for it.
void store_chunk(catalog::CatalogStore& store, std::span<const std::string> messages,
                 std::uint64_t arrival, SaveStatus expected) {
  std::vector<catalog::Catalog> catalogs(messages.size());
  std::vector<catalog::CatalogSave> saves;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string& message = messages[i];
    catalog::CatalogSave& save = saves.emplace_back();
    save.catalog = &catalogs[i];
    save.arrival = {"bench", ++arrival};
    const auto read = [&message] { return catalog::reading::read_catalog(message, {}); };
    if (auto outline = catalog::reading::read_outline(message, {})) {
      catalogs[i] = std::move(*outline);
      save.read_whole = read;
    } else if (auto whole = read()) {
      catalogs[i] = std::move(*whole);
    } else {
      fail(whole.error().text);
    }
  }
  for (const catalog::SaveOutcome& outcome : store.save(saves)) {
    if (outcome.status != expected) fail("a save ended otherwise: " + outcome.error.text);
  }
}

// Each store on a thread of its own, which takes the next chunk when it is done with one.
void store_all(const Stores& stores, const std::vector<std::string>& messages,
               std::uint64_t arrival, SaveStatus expected) {
  std::atomic<std::size_t> next = 0;
  const std::size_t chunk = stores.size() == 1 ? kChunk : kChunk / 2;
  const auto work = [&](catalog::CatalogStore& store) {
    for (std::size_t at = next.fetch_add(chunk); at < messages.size(); at = next.fetch_add(chunk)) {
      const auto size = std::min(chunk, messages.size() - at);
      store_chunk(store, std::span(messages).subspan(at, size), arrival + at, expected);
    }
  };
  if (stores.size() == 1) return work(*stores.front());
  std::vector<std::jthread> threads;
  for (const auto& store : stores)
    threads.emplace_back([&work, &store] { work(*store); });
}

// `time`: the how many-th for these nodes.
void measure(const std::string& name, const BenchDatabase& database, const Stores& stores,
             const CatalogMessages& messages, Generation generation, std::size_t time,
             SaveStatus expected) {
  double seconds = 0, cpu = 0;
  const double server_cpu = database.server_cpu_seconds();
  const std::size_t round = kChunk * (stores.size() == 1 ? 1 : stores.size() * 2);
  for (std::size_t at = 0; at < messages.size(); at += round) {
    const auto texts = messages.read(generation, at, std::min(at + round, messages.size()));
    const auto arrival = static_cast<std::uint64_t>(time) * messages.size() + at;
    const Stopwatch watch;
    store_all(stores, texts, arrival, expected);
    seconds += watch.seconds();
    cpu += watch.cpu_seconds();
  }
  const auto count = static_cast<double>(messages.size());
  print(name, count / seconds, "catalogs/s");
  print(name + "_cpu", cpu / count * 1000, "CPU-s/1000");
  const double server = database.server_cpu_seconds() - server_cpu;
  if (server > 0) print(name + "_server_cpu", server / count * 1000, "CPU-s/1000");
}

void measure_query(catalog::CatalogReader& reader, const std::string& type,
                   const std::optional<std::string>& tag = std::nullopt) {
  catalog::ResourceQuery query;
  query.type = type;
  query.tag = tag;
  query.exported = true;
  double best = 1e9, cpu = 1e9;
  std::size_t rows = 0;
  for (int round = 0; round < 5; ++round) {
    const Stopwatch watch;
    const auto found = reader.resources(query);
    if (!found) fail(found.error().text);
    rows = found->size();
    best = std::min(best, watch.seconds());
    cpu = std::min(cpu, watch.cpu_seconds());
  }
  const std::string name = "query_" + type + (tag ? "_" + *tag : "");
  print(name + "_rows", static_cast<double>(rows), "rows");
  print(name, best * 1000, "ms");
  print(name + "_cpu", cpu * 1000, "CPU-ms");
}

void print_raw(const std::string& name, const bench::RawFigures& raw) {
  const auto hosts = static_cast<double>(raw.hosts);
  print(name, hosts / raw.seconds, "catalogs/s");
  print(name + "_cpu", raw.cpu_seconds / hosts * 1000, "CPU-s/1000");
  print(name + "_rows", static_cast<double>(raw.rows) / hosts, "rows/catalog");
}

void measure_raw(const std::string& name, const std::string& from, std::size_t rows) {
  catalog::CatalogPlace place;
  place.kind = catalog::PlaceKind::kSqlite;
  place.sqlite.path = from + ".raw";
  if (const auto made = catalog::make_catalog_store(place)->open(); !made) fail(made.error().text);
  bench::RawShape shape;
  shape.rows_a_statement = rows;
  const bench::RawFigures raw = bench::insert_raw(from, place.sqlite.path, shape);
  print_raw(name, raw);
  std::filesystem::remove(place.sqlite.path);
}

void measure_raw_in_server(const BenchDatabase& database) {
  const double before = database.server_cpu_seconds();
  const bench::RawFigures raw = bench::insert_raw_into_server(database.place(), {});
  print_raw("raw", raw);
  const double server = database.server_cpu_seconds() - before;  // with what is read
  print("raw_server_cpu", server / static_cast<double>(raw.hosts) * 1000, "CPU-s/1000");
}

Stores open_stores(const catalog::CatalogPlace& place, unsigned workers) {
  Stores stores;
  for (unsigned i = 0; i < std::min(workers, catalog::writers_max(place)); ++i) {
    stores.push_back(catalog::make_catalog_store(place));
    if (const auto opened = stores.back()->open(); !opened) fail(opened.error().text);
  }
  return stores;
}

void run(const Arguments& arguments, const std::string& path) {
  const CatalogMessages messages =
      arguments.messages.empty() ? CatalogMessages(arguments.nodes)
                                 : CatalogMessages(arguments.messages[0], arguments.messages[1],
                                                   arguments.messages[2], arguments.nodes);
  const auto database =
      arguments.mariadb ? bench::make_mariadb_database() : bench::make_sqlite_database(path);
  const auto count = static_cast<double>(messages.size());
  Stores stores = open_stores(database->place(), arguments.workers);
  print("workers", static_cast<double>(stores.size()), "");
  measure("first", *database, stores, messages, Generation::kFirst, 0, SaveStatus::kStored);
  stores.clear();  // what is in the log goes into the file
  print("disk_per_node", database->bytes() / count, "bytes");
  if (arguments.mariadb) {
    measure_raw_in_server(*database);
  } else {
    measure_raw("raw", path, 1);
    measure_raw("raw_32_rows", path, 32);
  }
  stores = open_stores(database->place(), arguments.workers);
  measure("changed", *database, stores, messages, Generation::kChanged, 1, SaveStatus::kStored);
  measure("unchanged", *database, stores, messages, Generation::kUnchanged, 2,
          SaveStatus::kUnchanged);
  measure("changed_back", *database, stores, messages, Generation::kFirst, 3, SaveStatus::kStored);
  // The queries' reader maps the file; it belongs to another process.
  print("memory", static_cast<double>(bench::usage().ru_maxrss) / 1024, "MiB");
  const auto reader = catalog::open_catalog_reader(database->place());
  if (!reader) fail(reader.error().text);
  for (const char* type : {"Sshkey", "Nagios_host", "Nagios_service"})
    measure_query(**reader, type);
  measure_query(**reader, "Sshkey", "stage");
  measure_query(**reader, "Nagios_service", "nginx");
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = read_arguments({argv, static_cast<std::size_t>(argc)});
  const auto folder =
      std::filesystem::path(arguments.folder) / ("catalog_bench." + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  run(arguments, folder / "catalogs.sqlite3");
  std::filesystem::remove_all(folder);
  return 0;
}

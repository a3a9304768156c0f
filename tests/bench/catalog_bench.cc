// catalog_bench [FOLDER] [NODES] [FIRST CHANGED UNCHANGED]: catalog messages read and stored in
// SQLite by one thread: the first time, with 3 % changed, unchanged; then queries of exported
// resources. The three folders hold messages, a file a node (gen-catalogs.py); without them
// messages are made. Prints `name=value unit`.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/catalog/read_catalog.h"
#include "storage/catalog/read_outline.h"
#include "storage/catalog/sqlite_open.h"
#include "tests/bench/catalog_messages.h"

namespace {

using namespace stompbox;
using bench::CatalogMessages;
using bench::Generation;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kChunk = 32;  // what a worker saves at once

void print(const std::string& name, double value, const char* unit) {
  std::cout << name << '=' << value << ' ' << unit << std::endl;
}

void fail(const std::string& why) {
  std::cerr << "catalog_bench: " << why << '\n';
  std::exit(1);
}

rusage usage() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return used;
}

double cpu_seconds() {
  const rusage used = usage();
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// As the drain does it: an outline where that can be told, the whole when the store asks for it.
void store_chunk(catalog::CatalogStore& store, const std::vector<std::string>& messages,
                 std::uint64_t& arrival, catalog::SaveStatus expected) {
  std::vector<catalog::Catalog> catalogs(messages.size());
  std::vector<catalog::CatalogSave> saves;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string& message = messages[i];
    catalog::CatalogSave& save = saves.emplace_back();
    save.catalog = &catalogs[i];
    save.arrival = {"bench", ++arrival};
    const auto read = [&message] { return catalog::read_catalog(message, {}); };
    if (auto outline = catalog::read_outline(message, {})) {
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

void measure(const std::string& name, catalog::CatalogStore& store, const CatalogMessages& messages,
             Generation generation, std::uint64_t& arrival, catalog::SaveStatus expected) {
  double seconds = 0, cpu = 0;
  for (std::size_t at = 0; at < messages.size(); at += kChunk) {
    const auto chunk = messages.read(generation, at, std::min(at + kChunk, messages.size()));
    const auto start = Clock::now();
    const double cpu_before = cpu_seconds();
    store_chunk(store, chunk, arrival, expected);
    cpu += cpu_seconds() - cpu_before;
    seconds += seconds_since(start);
  }
  const auto count = static_cast<double>(messages.size());
  print(name, count / seconds, "catalogs/s");
  print(name + "_cpu", cpu / count * 1000, "CPU-s/1000");
}

void measure_query(catalog::CatalogReader& reader, const std::string& type) {
  catalog::ResourceQuery query;
  query.type = type;
  query.exported = true;
  double best = 1e9;
  std::size_t rows = 0;
  for (int round = 0; round < 5; ++round) {
    const auto start = Clock::now();
    const auto found = reader.resources(query);
    if (!found) fail(found.error().text);
    rows = found->size();
    best = std::min(best, seconds_since(start));
  }
  print("query_" + type + "_rows", static_cast<double>(rows), "rows");
  print("query_" + type, best * 1000, "ms");
}

double bytes_of(const std::string& database) {
  double bytes = 0;
  for (const char* end : {"", "-wal"}) {
    std::error_code none;
    const auto size = std::filesystem::file_size(database + end, none);
    if (!none) bytes += static_cast<double>(size);
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path folder = std::filesystem::path(argc > 1 ? argv[1] : "/tmp") /
                                       ("catalog_bench." + std::to_string(getpid()));
  const std::size_t nodes = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 300;
  const CatalogMessages messages =
      argc > 5 ? CatalogMessages(argv[3], argv[4], argv[5], nodes) : CatalogMessages(nodes);
  std::filesystem::create_directory(folder);
  catalog::SqliteOptions options;
  options.path = folder / "catalogs.sqlite3";
  const auto store = catalog::make_sqlite_store(options);
  if (const auto opened = store->open(); !opened) fail(opened.error().text);
  using catalog::SaveStatus;
  std::uint64_t arrival = 0;
  measure("first", *store, messages, Generation::kFirst, arrival, SaveStatus::kStored);
  print("disk_per_node", bytes_of(options.path) / static_cast<double>(messages.size()), "bytes");
  measure("changed", *store, messages, Generation::kChanged, arrival, SaveStatus::kStored);
  measure("unchanged", *store, messages, Generation::kUnchanged, arrival, SaveStatus::kUnchanged);
  const auto reader = catalog::open_sqlite_reader(options.path);
  if (!reader) fail(reader.error().text);
  for (const char* type : {"Sshkey", "Nagios_host", "Nagios_service"})
    measure_query(**reader, type);
  print("memory", static_cast<double>(usage().ru_maxrss) / 1024, "MiB");
  std::filesystem::remove_all(folder);
  return 0;
}

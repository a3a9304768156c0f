// A master without a busy timeout beside our store, and beside puppetqd (rule 15).

#include <sqlite3.h>
#include <stdio.h>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "storage/catalog/sqlite_open.h"
#include "tests/support/sample_catalogs.h"
#include "tests/support/test_folder.h"

namespace stompbox::catalog {
namespace {

constexpr std::size_t kNodes = 24;
constexpr const char* kSeconds = "4";

std::string command(const std::string& path, const std::string& mode) {
  return "python3 " MASTER_BESIDE_US " " + path + " " + kSeconds + " " + mode;
}

std::string output_of(const std::string& line) {
  FILE* const pipe = ::popen(line.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 4096> part{};
  while (std::fgets(part.data(), part.size(), pipe) != nullptr)
    text += part.data();
  REQUIRE(::pclose(pipe) == 0);
  return text;
}

double number(const std::string& json, const std::string& name) {
  const std::size_t at = json.find("\"" + name + "\": ");
  REQUIRE(at != std::string::npos);
  return std::strtod(json.c_str() + at + name.size() + 4, nullptr);
}

double write_failures(const std::string& json) {
  REQUIRE(number(json, "writes") > 0);
  return number(json, "write_errors") / number(json, "writes");
}

std::vector<Catalog> generation_of(std::uint32_t generation) {
  support::SampleShape shape;
  shape.changed_percent = 3;
  shape.generation = generation;
  std::vector<Catalog> catalogs;
  for (std::size_t i = 0; i < kNodes; ++i)
    catalogs.push_back(support::sample_catalog(i, shape));
  return catalogs;
}

void save_all(CatalogStore& store, const std::vector<Catalog>& catalogs) {
  std::vector<CatalogSave> saves;
  for (const Catalog& catalog : catalogs)
    saves.push_back({&catalog, {}});
  for (const SaveOutcome& outcome : store.save(saves))
    CHECK(outcome.error.text == "");
}

}  // namespace

TEST_CASE(
    "beside us a master's reads never fail, and its writes no more often than beside puppetqd") {
  const support::TestFolder folder;
  SqliteOptions options;
  options.path = folder.file("db");
  const auto store = make_sqlite_store(options);
  const std::array generations = {generation_of(1), generation_of(2)};
  save_all(*store, generations[0]);

  std::atomic<bool> stop = false;
  std::size_t saved = 0;
  std::thread writer([&] {
    for (std::size_t round = 1; !stop; ++round) {
      save_all(*store, generations[round % 2]);
      saved += kNodes;
    }
  });
  const std::string beside_us = output_of(command(options.path, "master"));
  stop = true;
  writer.join();

  // The same for puppetqd, on a database in WAL mode too, which does it a favour.
  const std::string both = output_of("(" + command(options.path, "puppetqd") + " >/dev/null & " +
                                     command(options.path, "master") + "; wait)");
  MESSAGE("beside us, with ", saved, " catalogs saved: ", beside_us);
  MESSAGE("beside puppetqd: ", both);
  CHECK(saved > 0);
  CHECK(number(beside_us, "reads") > 0);
  CHECK(number(beside_us, "read_errors") == 0);
  CHECK(write_failures(beside_us) <= write_failures(both));
}

}  // namespace stompbox::catalog

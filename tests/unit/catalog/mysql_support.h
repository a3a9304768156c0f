#pragma once

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "storage/catalog/catalog_place.h"
#include "tests/support/mariadb.h"

// A database of its own for one test, on the server that all tests of the program share.
namespace stompbox::catalog {

inline support::MariadbServer& test_server() {
  static support::MariadbServer server;
  return server;
}

class TestDatabase {
 public:
  // `declaration`: of its tables, as CREATE DATABASE has it.
  explicit TestDatabase(const std::string& declaration = "CHARACTER SET utf8mb4")
      : name_(make(declaration)), other(test_server(), name_) {}
  ~TestDatabase() {
    static_cast<void>(
        support::MariadbClient(test_server(), "").try_run("DROP DATABASE IF EXISTS " + name_));
  }

  [[nodiscard]] CatalogPlace place() const {
    CatalogPlace place;
    place.kind = PlaceKind::kMysql;
    place.mysql.user = "root";
    place.mysql.socket = test_server().socket();
    place.mysql.database = name_;
    return place;
  }
  [[nodiscard]] std::unique_ptr<CatalogStore> store() const {
    auto made = make_catalog_store(place());
    const auto opened = made->open();
    if (!opened) FAIL(opened.error().text);
    return made;
  }
  // As Puppet 3.8.7 makes them.
  void make_tables() {
    std::ifstream file(STOMPBOX_TEST_DATA "/captures/schema-3.8.7.mysql.sql");
    REQUIRE(file.good());
    std::stringstream text;
    text << file.rdbuf();
    other.run(text.str());
  }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  static std::string make(const std::string& declaration) {
    static int count = 0;
    std::string name = "test_" + std::to_string(++count);
    support::MariadbClient(test_server(), "").run("CREATE DATABASE " + name + " " + declaration);
    return name;
  }

  const std::string name_;

 public:
  support::MariadbClient other;  // somebody else
};

inline Catalog catalog_of(std::string node, std::string title, std::string value) {
  Catalog catalog;
  catalog.node = std::move(node);
  Resource& resource = catalog.resources.emplace_back();
  resource.type = "File";
  resource.title = std::move(title);
  resource.parameters = {{"content", {std::move(value)}}};
  resource.tags = {"file"};
  return catalog;
}

inline std::vector<SaveOutcome> save(CatalogStore& store, const std::vector<Catalog>& catalogs) {
  std::vector<CatalogSave> saves;
  for (const Catalog& catalog : catalogs)
    saves.push_back({&catalog, {}});
  auto outcomes = store.save(saves);
  REQUIRE(outcomes.size() == catalogs.size());
  return outcomes;
}

inline SaveOutcome save(CatalogStore& store, const Catalog& catalog) {
  return save(store, std::vector{catalog}).at(0);
}

}  // namespace stompbox::catalog

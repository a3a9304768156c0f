#include "storage/catalog/mysql_fit.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace stompbox::catalog {
namespace {

constexpr std::size_t kPacket = 16 * 1024 * 1024;

MysqlTables tables_of(const std::string& charset) {
  const std::size_t width = charset == "utf8mb4" ? 4 : charset == "latin1" ? 1 : 3;
  const MysqlColumn name = {"varchar", charset, charset + "_bin", 255, 255 * width};
  const MysqlColumn text = {"text", charset, charset + "_bin", 65'535, 65'535};
  MysqlTables tables;
  tables.columns["hosts"] = {{"name", name}, {"environment", text}};
  tables.columns["resources"] = {{"title", text}, {"restype", name}};
  tables.columns["source_files"] = {{"filename", name}};
  tables.columns["param_names"] = {{"name", name}};
  tables.columns["param_values"] = {{"value", text}};
  tables.columns["puppet_tags"] = {{"name", name}};
  tables.columns["fact_names"] = {{"name", name}};
  tables.columns["fact_values"] = {{"value", text}};
  return tables;
}

Catalog web01() {
  Catalog catalog;
  catalog.node = "web01";
  Resource file;
  file.type = "File";
  file.title = "/etc/motd";
  file.parameters = {{"content", {"hello"}}};
  catalog.resources = {file};
  return catalog;
}

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i)
    all += text;
  return all;
}

std::string complaint(const Catalog& catalog, const std::string& columns,
                      const std::string& connection) {
  const MysqlFit fit(tables_of(columns), connection, kPacket);
  const auto error = fit.misfit(catalog, StoreScope::kAll);
  return error ? error->text : "";
}

}  // namespace

TEST_CASE("rule 17: a value of 65,535 bytes fits a text, one more does not") {
  auto catalog = web01();
  catalog.resources[0].parameters[0].values = {"short", std::string(65'535, 'x')};
  CHECK(complaint(catalog, "utf8mb4", "utf8mb4").empty());
  catalog.resources[0].parameters[0].values[1] += 'x';
  CHECK(complaint(catalog, "utf8mb4", "utf8mb4") ==
        "the parameter `content` of File[/etc/motd] of web01 has 65536 bytes, column "
        "param_values.value of the catalog database holds 65535: widen it (`stompbox store repair "
        "--widen` does that for values)");
}

TEST_CASE("rule 17: names are measured in characters, bytes where the connection has bytes") {
  auto catalog = web01();
  catalog.resources[0].tags = {repeated("é", 255)};
  CHECK(complaint(catalog, "utf8mb4", "utf8mb4").empty());
  CHECK(complaint(catalog, "utf8", "utf8mb4").empty());
  CHECK(complaint(catalog, "latin1", "latin1").find("has 510 bytes") != std::string::npos);
  catalog.resources[0].tags = {repeated("é", 256)};
  CHECK(complaint(catalog, "utf8mb4", "utf8mb4").find("has 256 characters") != std::string::npos);
}

TEST_CASE("each kind of text is measured by its own column") {
  const std::string long_name(256, 'x');
  auto catalog = web01();
  std::string column;
  SUBCASE("node") {
    catalog.node = long_name;
    column = "hosts.name";
  }
  SUBCASE("type") {
    catalog.resources[0].type = long_name;
    column = "resources.restype";
  }
  SUBCASE("title") {
    catalog.resources[0].title = std::string(65'536, 'x');
    column = "resources.title";
  }
  SUBCASE("file") {
    catalog.resources[0].file = long_name;
    column = "source_files.filename";
  }
  SUBCASE("name of a parameter") {
    catalog.resources[0].parameters[0].name = long_name;
    column = "param_names.name";
  }
  SUBCASE("tag") {
    catalog.resources[0].tags = {long_name};
    column = "puppet_tags.name";
  }
  SUBCASE("environment") {
    catalog.environment = std::string(65'536, 'x');
    column = "hosts.environment";
  }
  CHECK(complaint(catalog, "utf8mb4", "utf8mb4").find(" " + column + " ") != std::string::npos);
}

TEST_CASE("rule 18: a character of four bytes fits utf8mb4 only") {
  auto catalog = web01();
  catalog.resources[0].parameters[0].values = {"\xF0\x9F\x90\x98"};
  CHECK(complaint(catalog, "utf8mb4", "utf8mb4").empty());
  CHECK(complaint(catalog, "utf8", "utf8mb4").find("four bytes") != std::string::npos);
  CHECK(complaint(catalog, "utf8mb4", "utf8").find("four bytes") != std::string::npos);
  CHECK(complaint(catalog, "latin1", "latin1").empty());
}

TEST_CASE(
    "rule 18: characters of four bytes are replaced where the column holds three, and counted") {
  auto catalog = web01();
  Resource& file = catalog.resources[0];
  file.title = "/etc/\xF0\x9F\x90\x98";
  file.file = "/site\xF0\x9F\x90\x98.pp";
  file.parameters[0].values = {"a\xF0\x9F\x90\x98z\xF0\x9F\x90\xB3", "\xE2\x82\xAC"};
  file.tags = {"x\xF0\x9F\x90\x98", "y", "x\xF0\x9F\x90\xB3"};
  auto wide = catalog;
  CHECK(MysqlFit(tables_of("utf8mb4"), "utf8mb4", kPacket).replace_four_bytes(wide) == 0);
  CHECK(wide.resources == catalog.resources);
  CHECK(MysqlFit(tables_of("latin1"), "latin1", kPacket).replace_four_bytes(wide) == 0);

  const MysqlFit fit(tables_of("utf8"), "utf8mb4", kPacket);
  CHECK(fit.replace_four_bytes(catalog) == 6);
  CHECK(file.title == "/etc/\xEF\xBF\xBD");
  CHECK(file.file == "/site\xEF\xBF\xBD.pp");
  CHECK(file.parameters[0].values ==
        std::vector<std::string>{"a\xEF\xBF\xBDz\xEF\xBF\xBD", "\xE2\x82\xAC"});
  CHECK(file.tags == std::vector<std::string>{"x\xEF\xBF\xBD", "y"});
  CHECK_FALSE(fit.misfit(catalog, StoreScope::kAll));
}

TEST_CASE("rule 18: what something is known by is not replaced, and does not fit") {
  const std::string elephant = "\xF0\x9F\x90\x98";
  const MysqlFit fit(tables_of("utf8"), "utf8mb4", kPacket);
  auto catalog = web01();
  SUBCASE("a node") {
    catalog.node = elephant;
  }
  SUBCASE("a type") {
    catalog.resources[0].type = elephant;
  }
  SUBCASE("a parameter") {
    catalog.resources[0].parameters[0].name = elephant;
  }
  SUBCASE("one of two titles that would be the same") {
    catalog.resources[0].title = elephant;
    catalog.resources.push_back(catalog.resources[0]);
    catalog.resources[1].title = "\xF0\x9F\x90\xB3";
  }
  static_cast<void>(fit.replace_four_bytes(catalog));
  const auto error = fit.misfit(catalog, StoreScope::kAll);
  REQUIRE(error);
  CHECK(error->text.find("four bytes") != std::string::npos);
}

TEST_CASE("rule 18: values of facts are replaced, their names are not; no UTF-8 stays what it is") {
  const MysqlFit fit(tables_of("utf8"), "utf8mb4", kPacket);
  NodeFacts facts;
  facts.node = "web01";
  facts.facts = {{"motd", {"\xF0\x9F\x90\x98", "\xF0\x9Fx", "\xF0"}}};
  CHECK(fit.replace_four_bytes(facts) == 1);
  CHECK(facts.facts[0].values == std::vector<std::string>{"\xEF\xBF\xBD", "\xF0\x9Fx", "\xF0"});
  CHECK(fit.misfit(facts)->text.find("not UTF-8") != std::string::npos);
}

TEST_CASE("rule 11: bytes that are not UTF-8 fit only where bytes are bytes") {
  auto catalog = web01();
  catalog.resources[0].parameters[0].values = {"caf\xE9"};
  CHECK(complaint(catalog, "utf8mb4", "utf8mb4").find("not UTF-8") != std::string::npos);
  CHECK(complaint(catalog, "latin1", "latin1").empty());
}

TEST_CASE("what is not stored is not measured") {
  auto catalog = web01();
  catalog.resources[0].parameters[0].values = {std::string(70'000, 'x')};
  const MysqlFit fit(tables_of("utf8mb4"), "utf8mb4", kPacket);
  CHECK(fit.misfit(catalog, StoreScope::kAll).has_value());
  CHECK_FALSE(fit.misfit(catalog, StoreScope::kExported).has_value());
}

TEST_CASE("no value is larger than the packets of the server") {
  auto tables = tables_of("utf8mb4");
  tables.columns["param_values"]["value"] = {"mediumtext", "utf8mb4", "utf8mb4_bin", 16'777'215,
                                             16'777'215};
  auto catalog = web01();
  catalog.resources[0].parameters[0].values = {std::string(1024 * 1024, 'x')};
  CHECK(MysqlFit(tables, "utf8mb4", 1024 * 1024).misfit(catalog, StoreScope::kAll).has_value());
  CHECK_FALSE(
      MysqlFit(tables, "utf8mb4", 2 * 1024 * 1024).misfit(catalog, StoreScope::kAll).has_value());
}

TEST_CASE("facts are measured as well, by name and value") {
  const MysqlFit fit(tables_of("utf8mb4"), "utf8mb4", kPacket);
  NodeFacts facts;
  facts.node = "web01";
  facts.facts = {{"sshkey", {std::string(65'535, 'x')}}};
  CHECK_FALSE(fit.misfit(facts).has_value());
  facts.facts[0].values = {std::string(65'536, 'x')};
  CHECK(fit.misfit(facts)->text.starts_with("the fact `sshkey` of web01 has 65536 bytes"));
  facts.facts[0] = {std::string(256, 'x'), {"y"}};
  CHECK(fit.misfit(facts)->text.find("fact_names.name") != std::string::npos);
}

}  // namespace stompbox::catalog

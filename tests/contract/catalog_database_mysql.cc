#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "storage/catalog/catalog_place.h"
#include "tests/contract/catalog_database.h"
#include "tests/support/mariadb.h"

namespace stompbox::contract {
namespace {

// One server for all cases, each with a database of its own.
const support::MariadbServer& server() {
  static const support::MariadbServer made;
  return made;
}

void cut(std::string& text, const std::string& from, const std::string& to) {
  const std::size_t begin = text.find(from);
  REQUIRE(begin != std::string::npos);
  const std::size_t end = text.find(to, begin);
  REQUIRE(end != std::string::npos);
  text.erase(begin, end + to.size() - begin);
}

// Facts 3.2: what older Puppets made otherwise. The tables take the character set of their server,
// which is latin1 here, and its collation, which ignores case.
std::string schema_of(SchemaAge age) {
  std::ifstream file(STOMPBOX_TEST_DATA "/captures/schema-3.8.7.mysql.sql");
  REQUIRE(file.good());
  std::stringstream all;
  all << file.rdbuf();
  std::string text = all.str();
  if (age == SchemaAge::kPuppet38) return text;
  cut(text, "CREATE TABLE `inventory_facts`", ");\n");
  cut(text, "CREATE TABLE `inventory_nodes`", ");\n");
  if (age == SchemaAge::kPuppet26) return text;
  const std::string environment = "`environment` text";
  text.replace(text.find(environment), environment.size(), "`environment` varchar(255)");
  return text;
}

class MysqlDatabase final : public CatalogDatabase {
 public:
  explicit MysqlDatabase(SchemaAge age)
      : name_(make_database()),
        other_(server(), name_, age == SchemaAge::kNone ? "utf8mb4" : "latin1") {
    if (age != SchemaAge::kNone) run(schema_of(age));
  }
  ~MysqlDatabase() override { run("DROP DATABASE " + name_); }

  std::unique_ptr<catalog::CatalogStore> store(const StoreSettings& settings) override {
    catalog::CatalogPlace wanted = place();
    wanted.mysql.full_compare_every = settings.full_compare_every;
    wanted.mysql.thin = settings.thin;
    auto store = catalog::make_catalog_store(wanted);
    const auto opened = store->open();
    if (!opened) FAIL(opened.error().text);
    return store;
  }

  std::unique_ptr<catalog::CatalogReader> reader() override {
    auto reader = catalog::open_catalog_reader(place());
    if (!reader) FAIL(reader.error().text);
    return std::move(*reader);
  }

  void run(const std::string& sql) override { other_.run(sql); }
  std::vector<Row> rows(const std::string& sql) override { return other_.rows(sql); }
  std::string flag(bool value) const override { return value ? "1" : "0"; }

  void refuse_value(const std::string& value) override {
    run("CREATE TRIGGER refuse BEFORE INSERT ON param_values FOR EACH ROW"
        " IF NEW.value = '" +
        value + "' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused'; END IF");
  }

  std::vector<std::string> unique_indices() override {
    return column(*this,
                  "SELECT DISTINCT index_name FROM information_schema.statistics"
                  " WHERE table_schema = DATABASE() AND non_unique = 0"
                  " AND index_name <> 'PRIMARY' ORDER BY index_name");
  }

  std::vector<std::string> columns(const std::string& table, Columns which) override {
    const std::string only = which == Columns::kAll
                                 ? ""
                                 : " AND is_nullable = 'NO' AND column_default IS NULL"
                                   " AND column_key <> 'PRI'";
    return column(*this,
                  "SELECT column_name FROM information_schema.columns WHERE table_schema ="
                  " DATABASE() AND table_name = '" +
                      table + "'" + only + " ORDER BY ordinal_position");
  }

 private:
  static std::string make_database() {
    static int count = 0;
    std::string name = "case_" + std::to_string(++count);
    support::MariadbClient(server(), "").run("CREATE DATABASE " + name);
    return name;
  }

  [[nodiscard]] catalog::CatalogPlace place() const {
    const auto place = catalog::parse_catalog_place(
        "mysql://root@/" + name_ + "?socket=" + server().socket(), catalog::CatalogPlace{});
    REQUIRE(place.has_value());
    return *place;
  }

  const std::string name_;
  support::MariadbClient other_;
};

}  // namespace

std::unique_ptr<CatalogDatabase> make_catalog_database(SchemaAge age) {
  return std::make_unique<MysqlDatabase>(age);
}

}  // namespace stompbox::contract

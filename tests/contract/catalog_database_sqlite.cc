#include <sqlite3.h>

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "storage/catalog/sqlite_open.h"
#include "tests/contract/catalog_database.h"
#include "tests/support/test_folder.h"

namespace stompbox::contract {
namespace {

class SqliteDatabase final : public CatalogDatabase {
 public:
  explicit SqliteDatabase(SchemaAge age) {
    if (age != SchemaAge::kNone) run(schema_of(age));
  }
  ~SqliteDatabase() override { sqlite3_close(other_); }

  std::unique_ptr<catalog::CatalogStore> store(const StoreSettings& settings) override {
    catalog::SqliteOptions options;
    options.path = path();
    options.full_compare_every = settings.full_compare_every;
    options.thin = settings.thin;
    auto store = catalog::make_sqlite_store(options);
    const auto opened = store->open();
    if (!opened) FAIL(opened.error().text);
    return store;
  }

  std::unique_ptr<catalog::CatalogReader> reader() override {
    auto reader = catalog::open_sqlite_reader(path());
    if (!reader) FAIL(reader.error().text);
    return std::move(*reader);
  }

  void run(const std::string& sql) override {
    char* message = nullptr;
    const int result = sqlite3_exec(other(), sql.c_str(), nullptr, nullptr, &message);
    if (result != SQLITE_OK) FAIL(message);
  }

  std::vector<Row> rows(const std::string& sql) override {
    std::vector<Row> found;
    sqlite3_stmt* statement = nullptr;
    REQUIRE_MESSAGE(sqlite3_prepare_v2(other(), sql.c_str(), -1, &statement, nullptr) == SQLITE_OK,
                    sqlite3_errmsg(other()));
    while (sqlite3_step(statement) == SQLITE_ROW) {
      Row& row = found.emplace_back();
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
        row.push_back(text == nullptr ? std::nullopt : std::optional<std::string>(text));
      }
    }
    CHECK(sqlite3_finalize(statement) == SQLITE_OK);
    return found;
  }

  std::string flag(bool value) const override { return value ? "t" : "f"; }

  void refuse_value(const std::string& value) override {
    run("CREATE TRIGGER refuse BEFORE INSERT ON param_values WHEN NEW.value = '" + value +
        "' BEGIN SELECT RAISE(ABORT, 'refused'); END");
  }

  std::vector<std::string> unique_indices() override {
    return column(*this,
                  "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE"
                  " '%unique%' ORDER BY name");
  }

  std::vector<std::string> columns(const std::string& table, Columns which) override {
    const std::string only =
        which == Columns::kAll ? "" : " WHERE \"notnull\" = 1 AND pk = 0 AND dflt_value IS NULL";
    return column(*this, "SELECT name FROM pragma_table_info('" + table + "')" + only);
  }

 private:
  static std::string schema_of(SchemaAge age) {
    const std::string version = age == SchemaAge::kPuppet025  ? "0.25.5"
                                : age == SchemaAge::kPuppet26 ? "2.6.18"
                                                              : "3.8.7";
    std::ifstream file(STOMPBOX_TEST_DATA "/captures/schema-" + version + ".sqlite.sql");
    REQUIRE(file.good());
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string path() const { return folder_.file("clientconfigs.sqlite3"); }

  sqlite3* other() {
    if (other_ == nullptr) {
      REQUIRE(sqlite3_open(path().c_str(), &other_) == SQLITE_OK);
      sqlite3_busy_timeout(other_, 2000);
    }
    return other_;
  }

  const support::TestFolder folder_;
  sqlite3* other_ = nullptr;
};

}  // namespace

std::unique_ptr<CatalogDatabase> make_catalog_database(SchemaAge age) {
  return std::make_unique<SqliteDatabase>(age);
}

}  // namespace stompbox::contract

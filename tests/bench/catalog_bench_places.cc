#include "tests/bench/catalog_bench_places.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "tests/support/mariadb.h"

namespace stompbox::bench {
namespace {

class SqliteDatabase final : public BenchDatabase {
 public:
  explicit SqliteDatabase(const std::string& path) {
    place_.kind = catalog::PlaceKind::kSqlite;
    place_.sqlite.path = path;
  }

  const catalog::CatalogPlace& place() const override { return place_; }
  double server_cpu_seconds() const override { return 0; }
  double bytes() const override {
    std::error_code none;
    const auto size = std::filesystem::file_size(place_.sqlite.path, none);
    return none ? 0 : static_cast<double>(size);
  }

 private:
  catalog::CatalogPlace place_;
};

constexpr const char* kName = "bench";

class MariadbDatabase final : public BenchDatabase {
 public:
  MariadbDatabase()
      : server_({"--innodb-buffer-pool-size=512M", "--innodb-log-file-size=256M",
                 "--innodb-flush-log-at-trx-commit=1"}) {
    support::MariadbClient client(server_, "");
    client.run("CREATE DATABASE " + std::string(kName));
    pid_file_ = client.cell("SELECT @@pid_file");
    place_.kind = catalog::PlaceKind::kMysql;
    place_.mysql.socket = server_.socket();
    place_.mysql.user = "root";
    place_.mysql.database = kName;
  }

  const catalog::CatalogPlace& place() const override { return place_; }

  double server_cpu_seconds() const override {
    std::string pid;
    std::ifstream(pid_file_) >> pid;
    std::ifstream file("/proc/" + pid + "/stat");
    std::string word;
    constexpr int kUserTicks = 14, kSystemTicks = 15;
    double ticks = 0;
    for (int i = 1; i <= kSystemTicks && file >> word; ++i) {
      if (i >= kUserTicks) ticks += std::strtod(word.c_str(), nullptr);
    }
    return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  }

  double bytes() const override {
    support::MariadbClient client(server_, kName);
    client.run("ANALYZE TABLE resources, param_values, resource_tags");
    const std::string bytes = client.cell(
        "SELECT sum(data_length + index_length) FROM information_schema.tables"
        " WHERE table_schema = DATABASE()");
    return std::strtod(bytes.c_str(), nullptr);
  }

 private:
  const support::MariadbServer server_;
  std::string pid_file_;
  catalog::CatalogPlace place_;
};

}  // namespace

std::unique_ptr<BenchDatabase> make_sqlite_database(const std::string& path) {
  return std::make_unique<SqliteDatabase>(path);
}

std::unique_ptr<BenchDatabase> make_mariadb_database() {
  return std::make_unique<MariadbDatabase>();
}

}  // namespace stompbox::bench

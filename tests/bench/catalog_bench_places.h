#pragma once

#include <memory>
#include <string>

#include "storage/catalog/catalog_place.h"

namespace stompbox::bench {

// An empty database that is filled and looked at; gone with this.
class BenchDatabase {
 public:
  virtual ~BenchDatabase() = default;
  [[nodiscard]] virtual const catalog::CatalogPlace& place() const = 0;
  // Of a server that is a process of its own, so far.
  [[nodiscard]] virtual double server_cpu_seconds() const = 0;
  // Tables and indices.
  [[nodiscard]] virtual double bytes() const = 0;
};

[[nodiscard]] std::unique_ptr<BenchDatabase> make_sqlite_database(const std::string& path);
// A mariadbd of its own, with the settings that a site of this size would give it.
[[nodiscard]] std::unique_ptr<BenchDatabase> make_mariadb_database();

}  // namespace stompbox::bench

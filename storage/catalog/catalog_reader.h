#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/result.h"

namespace stompbox::catalog {

struct NodeRow {
  std::string name;
  std::string environment;
  std::string ip;
  std::string last_compile;  // as stored: local time
  std::int64_t resource_count = 0;
  std::int64_t exported_count = 0;
  std::int64_t fact_count = 0;
};

struct ResourceQuery {
  std::optional<std::string> type, title, tag, node;
  std::optional<bool> exported;
  std::optional<std::pair<std::string, std::string>> parameter;  // name = value
  std::size_t count_max = 10'000;
};

struct ResourceRow {
  std::string node, type, title, file;
  bool exported = false;
  std::optional<std::int64_t> line;
  std::vector<std::pair<std::string, std::vector<std::string>>> parameters;  // as stored
  std::vector<std::string> tags;
};

struct FactRow {
  std::string name;
  std::vector<std::string> values;
};

// A storeconfigs database opened for looking only. Never waits for a writer; never creates
// anything.
class CatalogReader {
 public:
  virtual ~CatalogReader() = default;

  [[nodiscard]] virtual storage::Result<std::vector<NodeRow>> nodes() = 0;
  [[nodiscard]] virtual storage::Result<std::vector<ResourceRow>> resources(
      const ResourceQuery& query) = 0;
  // kNotFound where there is no such node.
  [[nodiscard]] virtual storage::Result<std::vector<FactRow>> facts(const std::string& node) = 0;
};

}  // namespace stompbox::catalog

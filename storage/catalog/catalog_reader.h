#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/catalog/node_changes.h"
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
  // Of the last catalog, from its arrival at the broker until it was stored; nothing where another
  // program has stored it.
  std::optional<std::int64_t> lag_ms;
};

// What Puppet's own queries can say of a parameter (facts 5.1). Values are compared as they are
// stored; of an array any element counts.
struct ParameterTest {
  enum class Holds { kEqual, kOther } holds = Holds::kEqual;  // kOther: has another value, too
  std::string name, value;
};

// All that is given holds together.
struct ResourceQuery {
  std::optional<std::string> type;  // as the tables have it: Apache::Vhost; * stands for any text
  std::optional<std::string> title, tag, node;
  std::optional<std::string> collector;  // not this node's own
  std::optional<bool> exported;
  std::vector<ParameterTest> parameters;
  std::size_t count_max = 10'000;
};

struct ResourceRow {
  using Parameter = std::pair<std::string, std::vector<std::string>>;  // values as stored

  std::string node;  // empty: of a host that is gone, which masters collect all the same
  std::string type, title, file;
  bool exported = false;
  std::optional<std::int64_t> line;
  std::vector<Parameter> parameters;
  std::vector<std::string> tags;
};

struct FactRow {
  std::string name;
  std::vector<std::string> values;
};

struct NodeFactRow {
  std::string node;
  FactRow fact;
};

// What the last catalog that changed anything changed.
struct ChangesRow {
  std::string last_compile;  // as stored: local time; of the node's last catalog
  std::string changed_at;    // the same; of the one that is told of. Empty: none has been seen
  NodeChanges changes;
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
  // Nodes that have the fact, with all its values, one of which is `value` if that is given.
  [[nodiscard]] virtual storage::Result<std::vector<NodeFactRow>> find_facts(
      const std::string& name, const std::optional<std::string>& value) = 0;
  // kNotFound where there is no such node.
  [[nodiscard]] virtual storage::Result<ChangesRow> changes(const std::string& node) = 0;
};

}  // namespace stompbox::catalog

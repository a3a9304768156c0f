#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/schema_rows.h"
#include "storage/catalog/sql.h"

namespace stompbox::catalog::care {

// Everything that belongs to one row of `hosts`, exactly as it stands, junk and all.
struct HostImage {
  struct Resource {
    std::int64_t id = kNoRow;
    std::string_view type, title;
    std::optional<std::string_view> exported;
    std::optional<std::int64_t> line, file_id;
  };
  struct Parameter {
    std::int64_t id = kNoRow, resource_id = kNoRow, name_id = kNoRow;
    std::optional<std::string_view> value;
  };
  struct Tag {
    std::int64_t id = kNoRow, resource_id = kNoRow, tag_id = kNoRow;
  };
  struct Fact {
    std::int64_t id = kNoRow, name_id = kNoRow;
    std::optional<std::string_view> value;
  };

  std::int64_t id = kNoRow;
  std::string name;
  std::optional<std::string> ip, environment, last_compile;
  // Resources by id; parameters and tags by resource id, then id; facts by id.
  std::vector<Resource> resources;
  std::vector<Parameter> parameters;
  std::vector<Tag> tags;
  std::vector<Fact> facts;
  TextArena texts;  // what the views point into
};

// Reads hosts one by one.
class HostImages {
 public:
  explicit HostImages(SqlConnection& db);

  // Nothing where there is no such row, or when the connection has failed.
  [[nodiscard]] std::optional<HostImage> load(std::int64_t id);

 private:
  void load_resources(HostImage& image);
  void load_children(HostImage& image);
  void load_facts(HostImage& image);

  SqlStatement host_, resources_, parameters_, tags_, facts_;
};

struct HostName {
  std::int64_t id = kNoRow;
  std::string name;
};
// All rows of `hosts`, by id.
[[nodiscard]] std::vector<HostName> host_names(SqlConnection& db);

}  // namespace stompbox::catalog::care

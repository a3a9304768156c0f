#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/catalog.h"
#include "storage/catalog/reading/pson_node.h"
#include "storage/catalog/reading/pson_text.h"
#include "storage/catalog/reading/read_catalog.h"
#include "storage/catalog/reading/read_warnings.h"
#include "storage/catalog/reading/stored_value.h"
#include "storage/result.h"

namespace stompbox::catalog::reading {

// "apache::VHOST" is "Apache::Vhost": capitalised per segment (rule 2).
[[nodiscard]] std::string capitalised_type(std::string_view type);

// Letters, digits, _ - : . and anything beyond ASCII; the first no - : or . (facts 2.2).
[[nodiscard]] bool is_valid_tag(std::string_view tag);

// Drops what a later resource of the same type and title overrides (rule 5), with a warning each.
void drop_duplicates(std::vector<Resource>& resources, ReadWarnings& warnings);

// Makes stored resources of parsed ones. `text` and `warnings` outlive it.
class ResourceReader {
 public:
  ResourceReader(const ReadOptions& options, PsonText& text, ReadWarnings& warnings);

  // `index` is its place in the message, for the reason of a failure.
  [[nodiscard]] storage::Result<Resource> read(const PsonNode& node, std::size_t index);

 private:
  struct Fields;

  void read_scalars(const Fields& fields, Resource& resource);
  void read_title(const PsonNode& title, Resource& resource);
  void read_parameters(const Fields& fields, Resource& resource);
  void read_tags(const PsonNode* tags, Resource& resource);
  void add_tag(std::string_view tag, Resource& resource);
  void warn_of_tag(std::string_view tag, const Resource& resource);

  PsonText& text_;
  ReadWarnings& warnings_;
  const bool store_sensitive_;
  StoredValues values_;
};

}  // namespace stompbox::catalog::reading

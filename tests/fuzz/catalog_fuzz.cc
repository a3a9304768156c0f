// The readers of catalogs and facts against arbitrary bytes, under several options: never a crash,
// always the same, and what is read keeps the promises of catalog.h.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/catalog/reading/pson_text.h"
#include "storage/catalog/reading/read_catalog.h"
#include "storage/catalog/reading/read_outline.h"
#include "storage/catalog/reading/stored_value.h"
#include "storage/utf8.h"

namespace {

using namespace stompbox;
using namespace stompbox::catalog;
using namespace stompbox::catalog::reading;

void require(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << "\n";
  std::abort();
}

std::vector<ReadOptions> all_options() {
  ReadOptions open;
  open.byte_policy = BytePolicy::kReplace;
  open.store_sensitive = true;
  ReadOptions tight;
  tight.byte_policy = BytePolicy::kKeep;
  tight.depth_max = 8;
  tight.resource_count_max = 3;
  tight.value_count_max = 60;
  return {ReadOptions{}, open, tight};
}

bool is_stored_text(const std::string& text, const ReadOptions& options) {
  if (options.byte_policy == BytePolicy::kKeep) return true;
  return storage::is_utf8(text) && text.find('\0') == std::string::npos;
}

// A row that readers take for YAML is one of ours, and reads back as the same row.
void check_flow(const std::string& row, const ReadOptions& options) {
  require(row.starts_with("--- ") && row.find('\n') == std::string::npos, "YAML is one line");
  const bool has_rich_keys = row.find("__p") != std::string::npos;
  const bool has_long_keys = row.find("? ") != std::string::npos;
  if (has_rich_keys || has_long_keys) return;
  const std::string body =
      R"({"name":"n","resources":[{"type":"T","title":"t","parameters":{"v":[)" + row.substr(4) +
      "]}}]}";
  ReadOptions again;
  again.byte_policy = options.byte_policy;
  const auto catalog = read_catalog(body, again);
  require(catalog.has_value(), "a flow value is PSON");
  const auto& parameters = catalog->resources.front().parameters;
  require(parameters.size() == 1 && parameters.front().values == std::vector<std::string>{row},
          "a flow value reads back as itself");
}

void check_rows(const std::vector<std::string>& rows, const ReadOptions& options) {
  require(!rows.empty(), "no name without a row");
  for (const std::string& row : rows) {
    require(is_stored_text(row, options), "rows are text");
    if (needs_yaml(row) && row.find('\0') == std::string::npos) check_flow(row, options);
  }
}

void check_resource(const Resource& resource, const ReadOptions& options) {
  require(!resource.type.empty(), "a resource has a type");
  require(is_stored_text(resource.type, options) && is_stored_text(resource.title, options),
          "type and title are text");
  std::set<std::string> names;
  for (const Parameter& parameter : resource.parameters) {
    require(names.insert(parameter.name).second, "parameter names are unique");
    check_rows(parameter.values, options);
  }
  std::set<std::string> tags;
  for (const std::string& tag : resource.tags) {
    require(!tag.empty() && tags.insert(tag).second, "tags are unique");
    require(std::none_of(tag.begin(), tag.end(), [](char c) { return c >= 'A' && c <= 'Z'; }),
            "tags are lower case");
  }
}

void check_outline(std::string_view body, const Catalog& whole, const ReadOptions& options) {
  const auto outline = read_outline(body, options);
  if (!outline) return;
  require(outline->node == whole.node, "an outline has the node of the whole");
  require(outline->environment == whole.environment, "an outline has the environment of the whole");
}

void check_sentence(const std::string& text) {
  require(!text.empty() && text.find('\n') == std::string::npos, "a sentence is one line");
}

void check_catalog(std::string_view body, const ReadOptions& options) {
  const auto catalog = read_catalog(body, options);
  const auto again = read_catalog(body, options);
  require(catalog.has_value() == again.has_value(), "the same outcome twice");
  if (!catalog) return check_sentence(catalog.error().text);
  require(catalog->digest.size() == 16 && catalog->digest == again->digest, "one digest");
  require(catalog->resources == again->resources, "the same rows twice");
  check_outline(body, *catalog, options);
  require(!catalog->node.empty(), "a catalog has a node");
  require(catalog->warnings.size() <= 8, "warnings are few");
  for (const std::string& warning : catalog->warnings)
    check_sentence(warning);
  std::set<std::pair<std::string, std::string>> seen;
  for (const Resource& resource : catalog->resources) {
    require(seen.insert({resource.type, resource.title}).second, "type and title are unique");
    check_resource(resource, options);
  }
}

void check_facts(std::string_view body, const ReadOptions& options) {
  const auto facts = read_facts(body, options);
  if (!facts) return check_sentence(facts.error().text);
  require(!facts->node.empty(), "facts have a node");
  std::set<std::string> names;
  for (const Fact& fact : facts->facts) {
    require(names.insert(fact.name).second, "fact names are unique");
    require(!fact.values.empty(), "no fact without a row");
    for (const std::string& row : fact.values)
      require(is_stored_text(row, options), "text");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  static const std::vector<ReadOptions> every_option = all_options();
  for (const ReadOptions& options : every_option) {
    check_catalog(body, options);
    check_facts(body, options);
  }
  return 0;
}

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/catalog/care/check_rules.h"
#include "storage/catalog/care/host_image.h"
#include "storage/catalog/care/name_image.h"
#include "storage/catalog/sql.h"

namespace stompbox::catalog::care {

// What has to change so that the rows of one host keep the contract, and which rules they break
// now. Nothing else is touched: a host without findings has an empty mend.
struct HostMend {
  struct Move {
    std::int64_t id = 0;
    std::int64_t to = 0;  // the row of the name; kNoRow: one has to be made
    std::string name;     // of that one
  };
  struct Text {
    std::int64_t id = 0;
    std::string text;
  };

  std::vector<std::int64_t> removed_resources;  // with their parameters and tags
  std::vector<std::int64_t> removed_parameters, removed_tags, removed_facts;
  std::vector<Text> types;                 // of resources
  std::vector<Text> exported;              // in this database's form
  std::vector<std::int64_t> without_file;  // resources
  std::vector<Move> moved_parameters, moved_tags, moved_facts;
  std::vector<Text> values, fact_values;
  std::optional<std::string> environment;
  Findings findings{5};

  [[nodiscard]] bool empty() const;
  // Rows that it changes or deletes, children of resources not counted.
  [[nodiscard]] std::size_t row_count() const;
};

// Of twins: the newest resource stays (rule 5); of values under several rows of one name, those
// that were written last. A text that is not UTF-8 is taken for Latin-1.
[[nodiscard]] HostMend mend_host(const HostImage& host, NameImages& names,
                                 const SqlDialect& dialect, std::size_t examples_max);

// A text as YAML that a reader takes for that very text (rule 10).
[[nodiscard]] std::string quoted_text(std::string_view text);
// ASCII only, as Ruby 1.8 does it.
[[nodiscard]] std::string lower_case(std::string_view text);

}  // namespace stompbox::catalog::care

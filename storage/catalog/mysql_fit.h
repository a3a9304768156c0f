#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/catalog.h"
#include "storage/catalog/mysql_schema.h"
#include "storage/catalog/schema_diff.h"
#include "storage/result.h"

namespace stompbox::catalog {

// What a text may be so that it is stored whole and can be read back (rules 11, 17, 18): decided
// here, before anything is sent, because what a server does with the rest depends on its settings.
class MysqlFit {
 public:
  // `charset` is the connection's; no text may have more than `packet_bytes_max`.
  MysqlFit(const MysqlTables& tables, std::string_view charset, std::size_t packet_bytes_max);

  // The first thing that does not fit, named; only what is stored in this scope is looked at.
  [[nodiscard]] std::optional<storage::Error> misfit(const Catalog& catalog,
                                                     StoreScope scope) const;
  [[nodiscard]] std::optional<storage::Error> misfit(const NodeFacts& facts) const;

  // Puts U+FFFD in the place of characters of four bytes that their column cannot hold, and tells
  // how many there were. What something is known by stays, and does not fit: names of nodes, types,
  // parameters and facts, and a title that would become another one's.
  [[nodiscard]] std::size_t replace_four_bytes(Catalog& catalog) const;
  [[nodiscard]] std::size_t replace_four_bytes(NodeFacts& facts) const;

 private:
  enum class Measure { kCharacters, kBytes };
  struct Limit {
    Measure measure = Measure::kBytes;
    std::size_t max = 0;
    bool three_bytes = false;  // a character of four is none of this column's
    std::string_view name;     // of the column, for people
  };
  enum class Misfit { kNone, kTooLong, kNoUtf8, kFourBytes };

  [[nodiscard]] Limit limit_of(const MysqlTables& tables, std::string_view table,
                               std::string_view column, std::string_view name) const;
  [[nodiscard]] Misfit look(std::string_view text, const Limit& limit) const;
  // Nothing if it fits. `what` and `of` name it: "parameter `content`", " of File[/etc/motd]".
  [[nodiscard]] std::optional<storage::Error> check(std::string_view text, const Limit& limit,
                                                    std::string_view what, std::string_view name,
                                                    const Resource* resource,
                                                    std::string_view node) const;
  [[nodiscard]] std::optional<storage::Error> misfit(const Resource& resource,
                                                     std::string_view node) const;
  [[nodiscard]] static std::size_t replace_in(std::string& text, const Limit& limit);
  [[nodiscard]] std::size_t replace_in_titles(Catalog& catalog) const;
  [[nodiscard]] std::size_t replace_in_tags(std::vector<std::string>& tags) const;

  const bool is_utf8_;  // the connection: else bytes are bytes
  const bool utf8_of_three_bytes_;
  const std::size_t packet_bytes_max_;
  const Limit host_, environment_, title_, type_, file_, parameter_name_, value_, tag_, fact_name_,
      fact_value_;
};

}  // namespace stompbox::catalog

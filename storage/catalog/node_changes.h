#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/names_table.h"
#include "storage/catalog/schema_diff.h"
#include "storage/catalog/schema_rows.h"

namespace stompbox::catalog {

// What one save changed of a node's rows, for people. Our own table keeps that of the last save
// that changed any.
struct NodeChanges {
  enum class Kind { kAdded, kRemoved, kChanged };  // "+-~" in the text
  struct Change {
    Kind kind = Kind::kAdded;
    std::string type, title;
    // Of kChanged: names whose values are others now, added and removed ones among them.
    std::vector<std::string> parameters;
    bool tags = false;   // of kChanged: they differ
    bool place = false;  // of kChanged: exported, file or line differs
  };

  std::size_t added_count = 0, removed_count = 0, changed_count = 0;
  // Removed, changed, added. Of a node's first catalog none; else fewer than were counted when
  // there are too many to keep.
  std::vector<Change> changes;
};

// `stored` is what `diff` was made of.
[[nodiscard]] NodeChanges changes_of(const StoredRows& stored, const CatalogDiff& diff,
                                     NamesTable& parameter_names);

// As the column has it: ASCII, at most kChangesBytesMax; a line of counts, then one a change.
//
//   1 0 1
//   ~ TAB File TAB /etc/motd TAB tp TAB mode TAB owner      (t: tags, p: place)
//   + TAB Host TAB a%09b
inline constexpr std::size_t kChangesBytesMax = 20'000;
[[nodiscard]] std::string to_text(const NodeChanges& changes);
// Of any text; what is not understood is left out.
[[nodiscard]] NodeChanges changes_in(std::string_view text);

}  // namespace stompbox::catalog

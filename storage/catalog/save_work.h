#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "storage/catalog/catalog_store.h"
#include "storage/catalog/database_session.h"

namespace stompbox::catalog {

// One save on its way into the database: planned by reading only, written later under the lock. All
// calls work on one session; a failure stays in its connection.
class SaveWork {
 public:
  virtual ~SaveWork() = default;

  [[nodiscard]] virtual const std::string& node() const = 0;
  // All names that the plan may lack rows for.
  virtual void add_names(NameSets& wanted) const = 0;
  // Reads what is stored and decides what to do. Again when is_current() says no.
  virtual void plan() = 0;
  // Under the write lock: whether the plan still fits the database.
  [[nodiscard]] virtual bool is_current() = 0;
  // Whether the plan writes anything; if not, outcome() is all there is.
  [[nodiscard]] virtual bool writes() const = 0;
  // About how many rows the plan writes.
  [[nodiscard]] virtual std::size_t row_count() const = 0;
  // Under the write lock, inside a savepoint.
  virtual void apply(std::string_view now) = 0;
  [[nodiscard]] virtual SaveOutcome outcome() const = 0;
};

}  // namespace stompbox::catalog

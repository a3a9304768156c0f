#pragma once

#include <cstddef>
#include <string>

#include "storage/catalog/catalog_place.h"

namespace stompbox::bench {

struct RawFigures {
  double seconds = 0, cpu_seconds = 0;
  std::size_t hosts = 0, rows = 0;
};

// The physical limit of a first save: reads the rows of resources, values and tags out of one
// SQLite database, and inserts them into another one that has the same tables and nothing in them:
// prepared statements in a plain loop, so many rows a statement and hosts a transaction, of so many
// hosts at most. Only the inserts are counted. Ends the process when anything fails.
struct RawShape {
  std::size_t rows_a_statement = 1, hosts_a_transaction = 8, hosts_max = 600;
};
[[nodiscard]] RawFigures insert_raw(const std::string& from, const std::string& into,
                                    const RawShape& shape);

// The same within a server, from the database of this place into one of its own that is made and
// dropped: as many rows a statement as the store has them (`rows_a_statement` is not looked at).
[[nodiscard]] RawFigures insert_raw_into_server(const catalog::CatalogPlace& place,
                                                const RawShape& shape);

}  // namespace stompbox::bench

#pragma once

#include <cstddef>
#include <string>

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

}  // namespace stompbox::bench

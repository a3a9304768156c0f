#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/catalog/care/care_steps.h"
#include "storage/catalog/sql.h"
#include "storage/result.h"

// `store stats`: how much there is.
namespace stompbox::catalog::care {

struct TableFigures {
  std::string name;
  std::uint64_t rows = 0;
  std::optional<std::uint64_t> bytes;   // with indices; where the database tells
  std::optional<std::uint64_t> unused;  // rows of names that nothing refers to
};

struct NodeFigures {
  std::string name;
  std::uint64_t resources = 0, values = 0;  // values: of parameters
};

struct StoreFigures {
  std::vector<TableFigures> tables;
  std::uint64_t nodes = 0;       // rows of hosts
  std::uint64_t bytes = 0;       // of all tables, free space included
  std::uint64_t free_bytes = 0;  // that deleted rows have left
  std::vector<NodeFigures> biggest;
};

// Only reads, in steps of some milliseconds; the numbers are of slightly different moments.
[[nodiscard]] storage::Result<StoreFigures> figures_of(SqlConnection& db, std::size_t biggest_count,
                                                       CareWatch& watch);

}  // namespace stompbox::catalog::care

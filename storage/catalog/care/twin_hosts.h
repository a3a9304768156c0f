#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/catalog/care/host_image.h"
#include "storage/catalog/sql.h"

namespace stompbox::catalog::care {

// Ids of the rows of one name, when there are several; oldest first.
using TwinIds = std::vector<std::int64_t>;
[[nodiscard]] std::vector<TwinIds> twin_hosts(const std::vector<HostName>& hosts);

// Makes one row of several (rule 6): the oldest row stays, for that is the one a master finds; it
// gets the resources of the row that was compiled last and the facts that were written last, whole.
// Inside a write transaction that has locked them. False if the rows have changed meanwhile:
// nothing was written.
[[nodiscard]] bool merge_twin_hosts(SqlConnection& db, HostImages& images, const TwinIds& ids,
                                    std::string_view now);

}  // namespace stompbox::catalog::care

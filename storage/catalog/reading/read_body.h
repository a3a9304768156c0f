#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "storage/catalog/reading/read_catalog.h"
#include "storage/result.h"

// Limits that the readers of catalogs and of facts share.
namespace stompbox::catalog::reading {

// Parsing and rendering recurse: the option is obeyed up to this.
inline constexpr std::size_t kReaderDepthMax = 512;

[[nodiscard]] std::size_t reader_depth(const ReadOptions& options);
[[nodiscard]] std::string too_deep(std::size_t depth_max);
// kTooLarge for a body beyond the option (or 2 GiB, which the parser cannot count).
[[nodiscard]] storage::Status check_size(std::string_view body, const ReadOptions& options);

}  // namespace stompbox::catalog::reading

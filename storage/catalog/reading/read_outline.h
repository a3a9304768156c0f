#pragma once

#include <optional>
#include <string_view>

#include "storage/catalog/catalog.h"
#include "storage/catalog/reading/read_catalog.h"

namespace stompbox::catalog::reading {

// A catalog without its resources: node, environment and the digest that read_catalog() would give,
// at about a tenth of its price. Only the structure of the text is looked at: brackets and strings
// to the very end. That is enough for a catalog whose digest is known, because those bytes have
// been read whole before. Nothing for any form but the usual one, and for what needs a closer look
// (escapes in names, comments): read_catalog() has to decide then. Where both read a message, they
// read the same node and environment. Pure; any thread.
[[nodiscard]] std::optional<Catalog> read_outline(std::string_view body,
                                                  const ReadOptions& options);

}  // namespace stompbox::catalog::reading

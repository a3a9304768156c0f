#pragma once

#include <span>
#include <string>
#include <string_view>

namespace stompbox::options {

// The candidate that a misspelt word most likely meant: fewest letters typed wrong, left out, too
// many or exchanged; the first of equals. Empty if none is near.
[[nodiscard]] std::string nearest(std::string_view word,
                                  std::span<const std::string_view> candidates);

}  // namespace stompbox::options

#pragma once

#include <cstdint>
#include <string_view>

namespace stompbox::catalog {

// As MySQL's CRC32() has it.
[[nodiscard]] std::uint32_t crc32(std::string_view text);

}  // namespace stompbox::catalog

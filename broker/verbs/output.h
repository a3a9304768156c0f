#pragma once

#include <cstdint>

namespace stompbox::verbs {

// How a verb that prints a table prints it.
enum class Output : std::uint8_t { kTable, kJson };

}  // namespace stompbox::verbs

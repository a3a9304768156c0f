#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace stompbox::bench {

// Round trips of `bytes` over loopback TCP through two processes that do nothing but pass them on:
// there, beyond, back and back again, as many hops as a request and its reply make through a
// broker. Microseconds each.
[[nodiscard]] std::vector<double> time_bare_echo(std::uint64_t count, std::size_t bytes);

}  // namespace stompbox::bench

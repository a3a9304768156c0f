#pragma once

#include <cstddef>
#include <cstdint>

namespace stompbox::routing {

inline constexpr std::size_t kCacheLineBytes = 64;

// Has the processor bring that many lines of its cache from there, without waiting for them. With
// ten thousand subscriptions what a message needs lies in slow memory; asked for together it comes
// in the time of one. A hint: the address is not looked at and may be of what is gone, or null.
template <std::size_t kLines>
inline void fetch(const void* from) {
  const auto address = reinterpret_cast<std::uintptr_t>(from);
  for (std::size_t line = 0; line < kLines; ++line)
    __builtin_prefetch(reinterpret_cast<const void*>(address + line * kCacheLineBytes));
}

}  // namespace stompbox::routing

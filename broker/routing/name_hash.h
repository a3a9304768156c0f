#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace stompbox::routing {

// So that tables by name are searched without a copy of it.
struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const {
    return std::hash<std::string_view>{}(name);
  }
};

}  // namespace stompbox::routing

#pragma once

#include <cstdint>

#include "broker/routing/router.h"

namespace stompbox::routing {

// Waiting messages that leave a queue on somebody's order, page by page.
struct Router::Drainage {
  enum class Purpose : std::uint8_t { kPurge, kMove, kMakeRoom, kBoundLetters };

  Purpose purpose = Purpose::kPurge;
  Destination target;  // of kMove
  Done done;
  std::uint64_t count = 0;  // so far
  bool is_at_work = false;  // continue_drain() is under way
};

}  // namespace stompbox::routing

#pragma once

#include <functional>

#include "broker/routing/router.h"

namespace stompbox::routing {

// A look at a queue that waits for a page from the store.
struct Router::Browse {
  queue::QueueId queue;
  queue::Place from;
  std::size_t count_max = 0;
  std::function<void(BrowsePage)> done;
};

}  // namespace stompbox::routing

#pragma once

#include <deque>
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

// A subscription that looks and takes nothing. It asks for the next page when its consumer has room
// for more, so a queue of any length costs one page.
struct Router::Browser {
  queue::QueueId queue;
  Browsing browsing = Browsing::kOnce;
  std::uint64_t seq_min = 0;  // nothing that came before is shown
  queue::Place next;          // what stands before it has been shown
  std::deque<BrowsedMessage> page;
  bool shows_old = true;  // else only what comes
  bool loading = false;
  bool at_end = false;    // no further page
  bool told_end = false;  // and the consumer knows
};

}  // namespace stompbox::routing

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/control/control.h"
#include "broker/routing/router.h"

namespace stompbox::control {

// What of a queue is to be shown.
struct Look {
  queue::Place from{queue::PriorityClass{0}, queue::Seq{0}};
  std::uint64_t count = 20;
  std::uint64_t body_bytes = 0;  // of each message
};

// Looks at these queues one after the other, from `look.from` in the first, and answers once, now
// or when the store has given what is only there. A queue that is gone meanwhile is passed over.
void list_queues(routing::Router& router, std::vector<std::string> queues, const Look& look,
                 const Answer& answer);

}  // namespace stompbox::control

#pragma once

#include "broker/control/control.h"
#include "broker/control/request.h"
#include "broker/routing/router.h"

// What the desk is told to do to queues. Each order is answered once, now or when it is done; the
// loop never waits for it. An order for one queue that cannot be carried out is answered with the
// router's sentence; of an order for many, the answer names those that failed.
namespace stompbox::control {

// "queue" or "pattern" (broker/routing/pattern.h): {"messages": N, "queues": [...], "failures": []}
void order_purge(routing::Router& router, const Request& request, const Answer& answer);
// "from", "to", "count": {"messages": N}. "to" is a queue's name or a whole destination.
void order_move(routing::Router& router, const Request& request, const Answer& answer);
// "queue": {"messages": N}
void order_delete(routing::Router& router, const Request& request, const Answer& answer);
// {"messages": N}
void order_reset(routing::Router& router, const Answer& answer);

}  // namespace stompbox::control

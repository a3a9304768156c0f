#pragma once

#include "broker/routing/entry.h"
#include "broker/routing/seat.h"

namespace stompbox::routing {

// Who gets what next. The seat is out of its ring: offer_turn() puts it back.
struct Dispatch {
  Seat* seat = nullptr;
  Entry entry;
};

}  // namespace stompbox::routing

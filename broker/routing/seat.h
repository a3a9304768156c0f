#pragma once

#include <cstdint>

namespace stompbox::routing {

class Queue;
class Turns;
struct Interest;
struct Subscription;

// One subscription's place at one queue: over wildcards or a composite a subscription has several.
// Owned by the subscription; the queue knows it by pointer until it is removed there, and keeps
// everything but the first two.
struct Seat {
  Subscription* subscription = nullptr;
  Queue* queue = nullptr;
  bool barred = false;  // another one is exclusive
  // Among those with credit (turns.h).
  Turns* turns = nullptr;
  Seat* previous = nullptr;
  Seat* next = nullptr;
  std::uint64_t turn = 0;  // the smaller, the longer it has waited
  // Where messages are chosen (choosy.h).
  Interest* interest = nullptr;  // what it asks for
  Interest* own = nullptr;       // messages of the groups that are bound to it, if any
};

}  // namespace stompbox::routing

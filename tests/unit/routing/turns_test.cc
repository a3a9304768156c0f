#include "broker/routing/turns.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>

#include "broker/routing/subscription.h"

namespace stompbox::routing {
namespace {

// A seat whose subscription has credit.
struct Guest {
  explicit Guest(std::int32_t priority = 0) {
    subscription.started = true;
    subscription.priority = priority;
    subscription.credit = {1, 1000};
    seat.subscription = &subscription;
  }
  std::size_t in_flight = 0;
  Subscription subscription{in_flight, 1000};
  Seat seat;
};

TEST_CASE("who has waited longest is next, and stays until it leaves") {
  Turns turns;
  Guest one, other;
  CHECK(turns.first() == nullptr);
  turns.offer(one.seat, 1);
  turns.offer(other.seat, 2);
  CHECK(turns.first() == &one.seat);
  CHECK(turns.first() == &one.seat);
  Turns::leave(one.seat);
  CHECK(turns.first() == &other.seat);
  turns.offer(one.seat, 3);
  CHECK(turns.first() == &other.seat);
}

TEST_CASE("a higher priority goes first, a lower one last") {
  Turns turns;
  Guest low(-1), usual, high(5), higher(6);
  turns.offer(low.seat, 1);
  turns.offer(usual.seat, 2);
  turns.offer(high.seat, 3);
  turns.offer(higher.seat, 4);
  for (Guest* next : {&higher, &high, &usual, &low}) {
    CHECK(turns.first() == &next->seat);
    Turns::leave(next->seat);
  }
  CHECK(turns.first() == nullptr);
}

TEST_CASE("who has lost its credit leaves when it is its turn") {
  Turns turns;
  Guest one, other;
  turns.offer(one.seat, 1);
  turns.offer(other.seat, 2);
  one.subscription.credit.count_max = 0;
  CHECK(turns.first() == &other.seat);
  CHECK(one.seat.turns == nullptr);
  CHECK(other.seat.turns == &turns);
}

TEST_CASE("one leaves from the middle, and leaving twice does nothing") {
  Turns turns;
  Guest a, b, c;
  turns.offer(a.seat, 1);
  turns.offer(b.seat, 2);
  turns.offer(c.seat, 3);
  Turns::leave(b.seat);
  Turns::leave(b.seat);
  CHECK(turns.first() == &a.seat);
  Turns::leave(a.seat);
  CHECK(turns.first() == &c.seat);
  Turns::leave(c.seat);
  CHECK(turns.first() == nullptr);
}

}  // namespace
}  // namespace stompbox::routing

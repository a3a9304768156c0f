#include <doctest/doctest.h>

#include <set>

#include "broker/routing/seat.h"

using stompbox::routing::Seat;
using stompbox::routing::Seats;

TEST_CASE("seats stay where they are while others come and go") {
  Seats seats;
  Seat& first = seats.add();
  Seat& second = seats.add();
  Seat& third = seats.add();
  second.turn = 2;
  third.turn = 3;
  seats.remove(first);
  CHECK(seats.size() == 2);
  CHECK(&seats.front() == &second);
  Seat& fourth = seats.add();
  fourth.turn = 4;
  CHECK(second.turn == 2);
  CHECK(third.turn == 3);
  std::set<const Seat*> found;
  for (const Seat& seat : seats)
    found.insert(&seat);
  CHECK(found == std::set<const Seat*>{&second, &third, &fourth});
}

TEST_CASE("a seat that is given up leaves nothing to the next one in its place") {
  Seats seats;
  seats.add().turn = 7;
  seats.clear();
  CHECK(seats.size() == 0);
  CHECK(seats.add().turn == 0);
}

#include "broker/access/door_limits.h"

#include <chrono>
#include <string>

#include <doctest/doctest.h>

namespace stompbox::access {
namespace {

using Arrival = DoorLimits::Arrival;
using Bounds = DoorLimits::Bounds;
using Login = DoorLimits::Login;
using std::chrono::milliseconds;

const DoorLimits::TimePoint kStart{std::chrono::hours(1)};

AccessOptions unbounded() {
  AccessOptions options;
  options.connections_per_address_max = 0;
  options.connections_per_user_max = 0;
  options.connection_rate_max = 0;
  return options;
}

TEST_CASE("an address has so many connections at once, and its neighbour is not asked") {
  AccessOptions options = unbounded();
  options.connections_per_address_max = 2;
  DoorLimits limits(options);
  CHECK(limits.arrive(1, "a", Bounds::kHold, kStart) == Arrival::kIn);
  CHECK(limits.arrive(2, "a", Bounds::kHold, kStart) == Arrival::kIn);
  CHECK(limits.arrive(3, "a", Bounds::kHold, kStart) == Arrival::kTooMany);
  CHECK(limits.arrive(4, "b", Bounds::kHold, kStart) == Arrival::kIn);
  limits.leave(3);  // was never in
  CHECK(limits.arrive(5, "a", Bounds::kHold, kStart) == Arrival::kTooMany);
  limits.leave(1);
  CHECK(limits.arrive(6, "a", Bounds::kHold, kStart) == Arrival::kIn);
}

TEST_CASE("an address may come in one go and then at its rate") {
  AccessOptions options = unbounded();
  options.connection_burst_max = 3;
  options.connection_rate_max = 10;
  DoorLimits limits(options);
  auto arrives = [&limits, number = 0ULL](milliseconds after) mutable {
    return limits.arrive(++number, "a", Bounds::kHold, kStart + after) == Arrival::kIn;
  };
  CHECK(arrives(milliseconds(0)));
  CHECK(arrives(milliseconds(0)));
  CHECK(arrives(milliseconds(0)));
  CHECK_FALSE(arrives(milliseconds(0)));
  CHECK_FALSE(arrives(milliseconds(99)));
  CHECK(arrives(milliseconds(100)));
  CHECK_FALSE(arrives(milliseconds(101)));
  CHECK(arrives(milliseconds(10'000)));
  CHECK(arrives(milliseconds(10'000)));
  CHECK(arrives(milliseconds(10'000)));
  CHECK_FALSE(arrives(milliseconds(10'000)));
  CHECK(limits.arrive(99, "b", Bounds::kHold, kStart + milliseconds(10'000)) == Arrival::kIn);
}

TEST_CASE("an address without bounds is counted and never refused") {
  AccessOptions options = unbounded();
  options.connections_per_address_max = 1;
  options.connection_burst_max = 1;
  options.connection_rate_max = 1;
  DoorLimits limits(options);
  for (std::uint64_t number = 1; number <= 100; ++number)
    REQUIRE(limits.arrive(number, "a", Bounds::kNone, kStart) == Arrival::kIn);
  CHECK(limits.arrive(101, "a", Bounds::kHold, kStart) == Arrival::kTooMany);
}

TEST_CASE("a user has so many connections at once") {
  AccessOptions options = unbounded();
  options.connections_per_user_max = 1;
  DoorLimits limits(options);
  for (std::uint64_t number = 1; number <= 3; ++number)
    REQUIRE(limits.arrive(number, "a", Bounds::kHold, kStart) == Arrival::kIn);
  CHECK(limits.log_in(1, "bob") == Login::kIn);
  CHECK(limits.log_in(2, "bob") == Login::kTooMany);
  CHECK(limits.log_in(3, "eve") == Login::kIn);
  limits.leave(2);
  limits.leave(1);
  REQUIRE(limits.arrive(4, "a", Bounds::kHold, kStart) == Arrival::kIn);
  CHECK(limits.log_in(4, "bob") == Login::kIn);
  limits.leave(3);
  limits.leave(4);
  CHECK(limits.users() == 0);
}

TEST_CASE("a login whose connection has gone meanwhile is not counted") {
  AccessOptions options = unbounded();
  options.connections_per_user_max = 1;
  DoorLimits limits(options);
  CHECK(limits.log_in(1, "bob") == Login::kIn);
  CHECK(limits.users() == 0);
}

TEST_CASE("addresses are forgotten when there are too many, those with connections never") {
  AccessOptions options = unbounded();
  options.failure_addresses_max = 10;
  options.connections_per_address_max = 1;
  DoorLimits limits(options);
  REQUIRE(limits.arrive(1, "stays", Bounds::kHold, kStart) == Arrival::kIn);
  for (std::uint64_t number = 2; number < 1000; ++number) {
    REQUIRE(limits.arrive(number, std::to_string(number), Bounds::kHold, kStart) == Arrival::kIn);
    limits.leave(number);
  }
  CHECK(limits.addresses() <= 10);
  CHECK(limits.arrive(1000, "stays", Bounds::kHold, kStart) == Arrival::kTooMany);
}

}  // namespace
}  // namespace stompbox::access

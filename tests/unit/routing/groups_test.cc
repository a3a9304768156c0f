#include "broker/routing/groups.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

namespace stompbox::routing {
namespace {

constexpr queue::Place kPlace{queue::PriorityClass{5}, queue::Seq{1}};

TEST_CASE("a group is made at its first use and found by its id") {
  Groups groups;
  CHECK(groups.empty());
  CHECK(groups.find("a") == nullptr);
  Groups::Group& made = groups.use("a");
  CHECK(groups.find("a") == &made);
  CHECK(&groups.use("a") == &made);
  CHECK_FALSE(groups.empty());
}

TEST_CASE("a group that nobody owns and nothing waits in goes, any other stays") {
  Groups groups;
  Seat seat;
  Groups::Group& group = groups.use("a");
  group.owner = &seat;
  groups.erase_if_empty(group);
  REQUIRE(groups.find("a") == &group);
  group.owner = nullptr;
  group.parked.insert(kPlace);
  groups.erase_if_empty(group);
  REQUIRE(groups.find("a") == &group);
  group.parked.clear();
  groups.erase_if_empty(group);
  CHECK(groups.find("a") == nullptr);
}

TEST_CASE("all groups of a seat are found, and no others") {
  Groups groups;
  Seat seat, other;
  groups.use("a").owner = &seat;
  groups.use("b").owner = &other;
  groups.use("c").owner = &seat;
  static_cast<void>(groups.use("d"));
  const auto owned = groups.owned_by(seat);
  REQUIRE(owned.size() == 2);
  CHECK(owned[0]->id == "a");
  CHECK(owned[1]->id == "c");
}

TEST_CASE("at the bound the longest idle group that nothing waits in has to go") {
  Groups groups;
  for (std::size_t i = 0; i + 1 < Groups::kCountMax; ++i)
    static_cast<void>(groups.use(std::to_string(i)));
  CHECK(groups.surplus() == nullptr);
  static_cast<void>(groups.use("last"));
  static_cast<void>(groups.use("0"));  // used again
  groups.find("1")->parked.insert(kPlace);
  Groups::Group* const surplus = groups.surplus();
  REQUIRE(surplus != nullptr);
  CHECK(surplus->id == "2");
  groups.erase(*surplus);
  CHECK(groups.surplus() == nullptr);
  CHECK(groups.find("0") != nullptr);
}

}  // namespace
}  // namespace stompbox::routing

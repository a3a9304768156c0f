#include "broker/routing/lane.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <utility>

namespace stompbox::routing {
namespace {

Entry entry(std::uint64_t seq) {
  Entry made;
  made.place.seq = {seq};
  return made;
}

std::uint64_t front_of(const Lane& lane) {
  const Entry* const first = lane.front();
  return first == nullptr ? 0 : first->place.seq.value;
}

TEST_CASE("the front of a lane is the oldest in memory, returned or fresh") {
  Lane lane;
  CHECK(lane.front() == nullptr);
  lane.fresh.push_back(entry(5));
  CHECK(front_of(lane) == 5);
  lane.sparse.emplace(queue::Seq{3}, entry(3));
  CHECK(front_of(lane) == 3);
  lane.sparse.clear();
  lane.sparse.emplace(queue::Seq{9}, entry(9));
  CHECK(front_of(lane) == 5);
  CHECK(lane.resident_count() == 2);
}

TEST_CASE("nothing in memory goes before what is paged in front of it") {
  Lane lane;
  lane.push_paged({4}, 100);
  lane.sparse.emplace(queue::Seq{6}, entry(6));
  CHECK(lane.front() == nullptr);
  lane.sparse.emplace(queue::Seq{3}, entry(3));
  CHECK(front_of(lane) == 3);
}

TEST_CASE("paged is what stands in the stretch and is not held") {
  Lane lane;
  CHECK_FALSE(lane.is_paged({1}));
  lane.push_paged({4}, 100);
  lane.push_paged({6}, 50);
  CHECK_FALSE(lane.is_paged({3}));
  CHECK(lane.is_paged({4}));
  CHECK(lane.is_paged({6}));
  CHECK_FALSE(lane.is_paged({7}));
  CHECK(lane.is_beyond({7}));
  lane.hold_paged({4}, 100);
  CHECK_FALSE(lane.is_paged({4}));
  CHECK(lane.paged_count == 1);
  CHECK(lane.paged_bytes == 50);
}

TEST_CASE("a lane that has nothing paged begins anew with the next, and forgets what was held") {
  Lane lane;
  lane.push_paged({4}, 100);
  lane.hold_paged({4}, 100);
  CHECK(lane.paged_count == 0);
  CHECK_FALSE(lane.is_beyond({4}));
  lane.push_paged({8}, 10);
  CHECK(lane.paged_from == queue::Seq{8});
  CHECK(lane.held.empty());
}

TEST_CASE("what is forgotten twice does not make the counts wrap") {
  Lane lane;
  lane.push_paged({1}, 10);
  lane.forget_paged(1000);
  lane.forget_paged(1000);
  CHECK(lane.paged_count == 0);
  CHECK(lane.paged_bytes == 0);
}

}  // namespace
}  // namespace stompbox::routing

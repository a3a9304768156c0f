#include "storage/queue/live_map.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <set>
#include <vector>

namespace stompbox::queue {
namespace {

LiveMap with_appended(std::uint64_t last) {
  LiveMap map;
  for (std::uint64_t seq = 1; seq <= last; ++seq)
    map.append(seq);
  return map;
}

TEST_CASE("an empty map is all dead") {
  const LiveMap map;
  CHECK(map.all_dead());
  CHECK(map.low() == 1);
  CHECK(map.skip_dead(1) == 1);
}

TEST_CASE("erasing from the front moves the lower bound") {
  LiveMap map = with_appended(10);
  for (std::uint64_t seq = 1; seq <= 4; ++seq)
    CHECK(map.erase(seq));
  CHECK(map.low() == 5);
  CHECK(map.dead_ranges().empty());
}

TEST_CASE("one old message does not hide that all behind it is dead") {
  LiveMap map = with_appended(1000);
  for (std::uint64_t seq = 2; seq <= 999; ++seq)
    map.erase(seq);
  CHECK(map.low() == 1);
  CHECK(map.skip_dead(2) == 1000);
  CHECK(map.dead_ranges() == std::vector<DeadRange>{{2, 1000}});
  map.erase(1);
  CHECK(map.low() == 1000);
}

TEST_CASE("numbers that were jumped over are dead") {
  LiveMap map;
  map.append(5);
  CHECK(map.low() == 5);
  map.append(9);
  CHECK(map.skip_dead(6) == 9);
  map.erase(5);
  CHECK(map.low() == 9);
}

TEST_CASE("a number is erased once") {
  LiveMap map = with_appended(3);
  CHECK(map.erase(2));
  CHECK(!map.erase(2));
  CHECK(map.erase(1));
  CHECK(!map.erase(1));
  CHECK(!map.erase(7));
}

TEST_CASE("the shortest ranges are forgotten first, and no live number is called dead") {
  LiveMap map = with_appended(10'000);
  for (std::uint64_t seq = 100; seq < 200; ++seq)
    map.erase(seq);
  for (std::uint64_t seq = 1001; seq < 9000; seq += 2)
    map.erase(seq);
  CHECK(map.dead_ranges().size() == LiveMap::kRangesMax);
  CHECK(map.skip_dead(100) == 200);
  CHECK(map.skip_dead(1002) == 1002);
}

TEST_CASE("what a reader proved heals what was forgotten") {
  LiveMap map = with_appended(10'000);
  for (std::uint64_t seq = 2; seq <= 9998; seq += 2)
    map.erase(seq);
  for (std::uint64_t seq = 1; seq <= 9998; seq += 2)
    map.erase(seq);
  map.learn_dead(map.low(), 9999);
  CHECK(map.low() == 9999);
  CHECK(map.dead_ranges().empty());
}

TEST_CASE("the longest ranges are given in order") {
  LiveMap map = with_appended(1000);
  map.learn_dead(10, 12);
  map.learn_dead(100, 200);
  map.learn_dead(300, 303);
  map.learn_dead(500, 550);
  CHECK(map.longest_ranges(2) == std::vector<DeadRange>{{100, 200}, {500, 550}});
  CHECK(map.longest_ranges(9).size() == 4);
}

TEST_CASE("a stored map with ranges out of bounds is cut to its bounds") {
  const LiveMap map(10, 20, {{1, 12}, {15, 99}});
  CHECK(map.low() == 12);
  CHECK(map.next() == 20);
  CHECK(map.skip_dead(15) == 20);
}

// The plain truth beside the map.
struct Model {
  std::set<std::uint64_t> live;
  std::uint64_t next = 1;

  [[nodiscard]] std::uint64_t first_live(std::uint64_t seq) const {
    const auto found = live.lower_bound(seq);
    return found == live.end() ? next : *found;
  }
};

void check_same(const LiveMap& map, const Model& model, bool exact) {
  CHECK(map.next() == model.next);
  CHECK(map.low() <= model.first_live(1));
  for (std::uint64_t seq = 1; seq <= model.next; ++seq) {
    const std::uint64_t skipped = map.skip_dead(seq);
    const std::uint64_t truth = model.first_live(seq);
    if (exact ? skipped != truth : skipped > truth) {
      CAPTURE(seq);
      CHECK(skipped == truth);
    }
  }
}

TEST_CASE("a random history of few holes is known exactly") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    LiveMap map;
    Model model;
    for (int step = 0; step < 300; ++step) {
      if (random() % 2 == 0) {
        model.next += random() % 4 == 0 ? random() % 5 : 0;
        model.live.insert(model.next);
        map.append(model.next++);
      } else if (!model.live.empty()) {
        auto victim = model.live.lower_bound(random() % model.next);
        if (victim == model.live.end()) victim = model.live.begin();
        CHECK(map.erase(*victim));
        model.live.erase(victim);
      }
    }
    CAPTURE(seed);
    check_same(map, model, true);
  }
}

TEST_CASE("a random history of very many holes never calls a live number dead") {
  for (unsigned seed = 0; seed < 10; ++seed) {
    std::mt19937 random(seed);
    LiveMap map = with_appended(4000);
    Model model;
    model.next = 4001;
    for (std::uint64_t seq = 1; seq <= 4000; ++seq)
      model.live.insert(seq);
    for (int step = 0; step < 3000; ++step) {
      const std::uint64_t seq = 1 + random() % 4000;
      map.erase(seq);
      model.live.erase(seq);
      if (step % 100 == 0) {
        const std::uint64_t from = 1 + random() % 4000;
        map.learn_dead(from, model.first_live(from));
      }
    }
    CAPTURE(seed);
    CHECK(map.dead_ranges().size() <= LiveMap::kRangesMax);
    check_same(map, model, false);
  }
}

}  // namespace
}  // namespace stompbox::queue

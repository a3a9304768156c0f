#include "broker/session/ack_line.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "broker/session/unacked.h"

namespace stompbox::session {
namespace {

AckLine::Item item(std::uint64_t delivery) {
  return {{delivery}, {delivery + 1'000'000}};
}

std::vector<std::uint64_t> waiting(const AckLine& line) {
  std::vector<std::uint64_t> found;
  line.for_each([&found](const AckLine::Item& each) { found.push_back(each.delivery.value); });
  return found;
}

TEST_CASE("what is taken from an ack line waits no longer, and everything else does, in order") {
  AckLine line;
  for (std::uint64_t i = 1; i <= 5; ++i)
    line.add(item(i * 10));
  CHECK(line.take({30}) == queue::MessageId{1'000'030});
  CHECK(line.take({30}) == std::nullopt);
  CHECK(line.take({31}) == std::nullopt);
  CHECK(line.find({10}) == queue::MessageId{1'000'010});
  CHECK(waiting(line) == std::vector<std::uint64_t>{10, 20, 40, 50});
  std::vector<std::uint64_t> taken;
  line.take_to({45}, [&taken](const AckLine::Item& each) { taken.push_back(each.delivery.value); });
  CHECK(taken == std::vector<std::uint64_t>{10, 20, 40});
  CHECK(waiting(line) == std::vector<std::uint64_t>{50});
}

TEST_CASE("what is put back stands where it stood, whether its place was tidied away or not") {
  AckLine line;
  for (std::uint64_t i = 1; i <= 100; ++i)
    line.add(item(i));
  std::vector<AckLine::Item> taken;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    if (i % 10 != 0) taken.push_back({{i}, *line.take({i})});
  }
  CHECK(line.size() == 10);
  line.put_back({taken.rbegin(), taken.rend()});
  CHECK(line.size() == 100);
  const std::vector<std::uint64_t> all = waiting(line);
  for (std::uint64_t i = 1; i <= 100; ++i)
    CHECK(all[i - 1] == i);
}

TEST_CASE("an ack line says the same as a plain map, whatever is taken and put back") {
  std::mt19937_64 random(7);
  for (int history = 0; history < 50; ++history) {
    AckLine line;
    std::map<std::uint64_t, std::uint64_t> model;
    std::map<std::uint64_t, std::uint64_t> claimed;
    std::uint64_t last = 0;
    for (int step = 0; step < 2'000; ++step) {
      const std::uint64_t choice = random() % 16;
      const std::uint64_t some =
          last == 0 ? 0 : last - random() % std::min<std::uint64_t>(last, 80);
      if (choice < 8) {
        last += 1 + random() % 3;
        line.add(item(last));
        model.emplace(last, last + 1'000'000);
      } else if (choice < 13) {
        const auto taken = line.take({some});
        REQUIRE(taken.has_value() == model.contains(some));
        if (taken && random() % 4 == 0) claimed.emplace(some, taken->value);
        model.erase(some);
      } else if (choice == 13) {
        std::size_t count = 0;
        line.take_to({some}, [&](const AckLine::Item& each) {
          ++count;
          REQUIRE(model.erase(each.delivery.value) == 1);
        });
        REQUIRE((model.empty() || model.begin()->first > some));
      } else if (choice == 14 && !claimed.empty()) {
        std::vector<AckLine::Item> items;
        for (const auto& [delivery, message] : claimed)
          items.push_back({{delivery}, {message}});
        line.put_back(items);
        model.merge(claimed);
        claimed.clear();
      }
      REQUIRE(line.size() == model.size());
    }
    std::vector<std::uint64_t> expected;
    for (const auto& [delivery, message] : model)
      expected.push_back(delivery);
    CHECK(waiting(line) == expected);
  }
}

TEST_CASE("what a transaction has claimed is found by nobody until it is released") {
  Unacked unacked;
  const AckId first{.tag = 1, .delivery = {10}};
  const AckId second{.tag = 1, .delivery = {20}};
  const AckId other{.tag = 2, .delivery = {10}};
  unacked.add(first, {100});
  unacked.add(second, {200});
  unacked.add(other, {100});
  const auto claims = unacked.claim(second, routing::Reach::kUpTo);
  CHECK(claims.size() == 2);
  CHECK(unacked.size() == 3);
  CHECK_FALSE(unacked.contains(first));
  CHECK(unacked.find({100}, 1) == std::nullopt);
  CHECK(unacked.find({100}) == other);
  CHECK(unacked.has_claims(1));
  unacked.release(claims);
  CHECK(unacked.contains(first));
  CHECK(unacked.find({100}) == first);
  CHECK(unacked.find_after({100}, 1) == other);
  unacked.remove(first, routing::Reach::kOne);
  unacked.remove(second, routing::Reach::kOne);
  CHECK_FALSE(unacked.any_of(1));
  CHECK(unacked.size() == 1);
}

}  // namespace
}  // namespace stompbox::session

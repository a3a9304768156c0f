#include "broker/routing/value_table.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "broker/routing/interest.h"

namespace stompbox::routing {
namespace {

std::unique_ptr<Interest> interest(const std::string& value) {
  auto made = std::make_unique<Interest>();
  made->kind = Interest::Kind::kEqual;
  made->value = value;
  return made;
}

TEST_CASE("a value is found from when it is added to when it is erased, and stays where it is") {
  ValueTable table;
  std::map<std::string, const Interest*> expected;
  CHECK(table.find("x") == nullptr);
  std::size_t noise = 1;
  for (std::size_t step = 0; step < 20'000; ++step) {
    noise = noise * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::string value = "node" + std::to_string((noise >> 40) % 500);
    if (expected.contains(value)) {
      CHECK(table.find(value) == expected.at(value));
      table.erase(value);
      expected.erase(value);
    } else {
      CHECK(table.find(value) == nullptr);
      expected[value] = &table.add(interest(value));
    }
    REQUIRE(table.size() == expected.size());
  }
  for (const auto& [value, kept] : expected)
    CHECK(table.find(value) == kept);
}

TEST_CASE("each value is visited once") {
  ValueTable table;
  for (int i = 0; i < 100; ++i)
    table.add(interest(std::to_string(i)));
  for (int i = 0; i < 100; i += 2)
    table.erase(std::to_string(i));
  std::map<std::string, int> visits;
  table.for_each([&visits](const Interest& one) { visits[one.value] += 1; });
  CHECK(visits.size() == 50);
  for (const auto& [value, count] : visits) {
    CHECK(count == 1);
    CHECK(std::stoi(value) % 2 == 1);
  }
}

TEST_CASE("a table that was emptied is as good as new") {
  ValueTable table;
  for (int i = 0; i < 1000; ++i)
    table.add(interest(std::to_string(i)));
  for (int i = 0; i < 1000; ++i)
    table.erase(std::to_string(i));
  CHECK(table.size() == 0);
  CHECK(table.find("5") == nullptr);
  table.add(interest("5"));
  CHECK(table.find("5") != nullptr);
}

}  // namespace
}  // namespace stompbox::routing

#include "broker/routing/topic_table.h"

#include <doctest/doctest.h>

#include <array>
#include <vector>

using namespace stompbox;
using routing::Destination;
using routing::DestinationKind;
using routing::Subscription;
using routing::Topic;
using routing::TopicTable;

namespace {

Destination topic(std::string name) {
  Destination destination;
  destination.kind = DestinationKind::kTopic;
  destination.has_wildcards = routing::Pattern::has_wildcard(name);
  destination.name = std::move(name);
  return destination;
}

// The table never looks at a subscription: an address is enough.
class Listeners {
 public:
  Subscription& operator[](std::size_t i) {
    return reinterpret_cast<Subscription&>(room_[i]);  // NOLINT: only its address is used
  }
  std::vector<std::size_t> takers(TopicTable& table, std::string_view name,
                                  std::string header_block = {}) {
    queue::Message message;
    message.header_block = std::move(header_block);
    std::vector<std::size_t> found;
    const Topic* topic = table.find(name);
    if (topic == nullptr) return found;
    topic->for_each_taker(message, [this, &found](const Subscription& taker) {
      for (std::size_t i = 0; i < room_.size(); ++i) {
        if (&(*this)[i] == &taker) found.push_back(i);
      }
    });
    return found;
  }

 private:
  std::array<std::max_align_t, 8> room_{};
};

using Takers = std::vector<std::size_t>;

}  // namespace

TEST_CASE("a topic has those who name it, in order of coming") {
  const routing::PolicyTable policies;
  TopicTable table(10, policies);
  Listeners who;
  REQUIRE(table.add(who[0], {topic("a")}, nullptr));
  REQUIRE(table.add(who[1], {topic("a"), topic("b")}, nullptr));
  CHECK(who.takers(table, "a") == Takers{0, 1});
  CHECK(who.takers(table, "b") == Takers{1});
  CHECK(who.takers(table, "c").empty());
  table.remove(who[1]);
  CHECK(who.takers(table, "a") == Takers{0});
  CHECK_FALSE(table.has_subscriber("b"));
}

TEST_CASE("a pattern listens to the topics of now and later") {
  const routing::PolicyTable policies;
  TopicTable table(10, policies);
  Listeners who;
  REQUIRE(table.add(who[0], {topic("x.a")}, nullptr));
  CHECK(who.takers(table, "x.a") == Takers{0});
  REQUIRE(table.add(who[1], {topic("x.*")}, nullptr));
  CHECK(who.takers(table, "x.a") == Takers{0, 1});
  CHECK(who.takers(table, "x.new") == Takers{1});
  table.remove(who[1]);
  CHECK(who.takers(table, "x.a") == Takers{0});
  CHECK(who.takers(table, "x.new").empty());
}

TEST_CASE("a subscription of several destinations gets a message once") {
  const routing::PolicyTable policies;
  TopicTable table(10, policies);
  Listeners who;
  REQUIRE(table.add(who[0], {topic("x.a"), topic("x.*"), topic("*.a")}, nullptr));
  CHECK(who.takers(table, "x.a") == Takers{0});
  CHECK(who.takers(table, "y.a") == Takers{0});
}

TEST_CASE("selectors choose on topics, those of one value by a look-up") {
  const routing::PolicyTable policies;
  TopicTable table(10, policies);
  Listeners who;
  REQUIRE(table.add(who[0], {topic("t")}, *routing::Selector::parse("node = 'a'")));
  REQUIRE(table.add(who[1], {topic("t")}, *routing::Selector::parse("node = 'b'")));
  REQUIRE(table.add(who[2], {topic("t")}, *routing::Selector::parse("size > 5")));
  REQUIRE(table.add(who[3], {topic("t")}, nullptr));
  CHECK(who.takers(table, "t", "node:a\n") == Takers{3, 0});
  CHECK(who.takers(table, "t", "node:b\nsize:9\n") == Takers{3, 1, 2});
  CHECK(who.takers(table, "t") == Takers{3});
}

TEST_CASE("the number of topics is bounded; what nobody names makes room first") {
  const routing::PolicyTable policies;
  TopicTable table(2, policies);
  Listeners who;
  REQUIRE(table.add(who[0], {topic(">")}, nullptr));
  CHECK(who.takers(table, "a") == Takers{0});
  CHECK(who.takers(table, "b") == Takers{0});
  CHECK(who.takers(table, "c") == Takers{0});
  CHECK(table.count() <= 2);
  REQUIRE(table.add(who[1], {topic("d"), topic("e")}, nullptr));
  CHECK(table.count() == 2);
  CHECK(who.takers(table, "f") == Takers{0});
  CHECK(table.add(who[2], {topic("g")}, nullptr).error().code == storage::ErrorCode::kFull);
  CHECK(who.takers(table, "g") == Takers{0});
}

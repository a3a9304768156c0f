#include "broker/routing/retained.h"

#include <doctest/doctest.h>

#include <vector>

using namespace stompbox;
using routing::Destination;
using routing::DestinationKind;
using routing::RetainedStore;

namespace {

queue::MessagePtr message(std::string body, std::int64_t expires_ms = 0) {
  queue::Message made;
  made.body = std::move(body);
  made.expires_ms = expires_ms;
  return std::make_shared<const queue::Message>(std::move(made));
}

std::vector<std::string> seen(const RetainedStore& store, std::string name, bool wildcards) {
  Destination topics;
  topics.kind = DestinationKind::kTopic;
  topics.name = std::move(name);
  topics.has_wildcards = wildcards;
  std::vector<std::string> bodies;
  store.visit(topics, 100, [&bodies](const auto& found) { bodies.push_back(found->body); });
  return bodies;
}

using Bodies = std::vector<std::string>;

}  // namespace

TEST_CASE("a topic keeps the last message that was to be kept") {
  RetainedStore store(10'000);
  store.set("a", message("one"));
  store.set("a", message("two"));
  CHECK(seen(store, "a", false) == Bodies{"two"});
  CHECK(store.bytes() == message("two")->bytes());
  store.remove("a");
  CHECK(seen(store, "a", false).empty());
  CHECK(store.bytes() == 0);
}

TEST_CASE("a pattern finds what all its topics have kept, in order of names") {
  RetainedStore store(10'000);
  store.set("x.b", message("b"));
  store.set("x.a", message("a"));
  store.set("y", message("y"));
  CHECK(seen(store, "x.*", true) == Bodies{"a", "b"});
}

TEST_CASE("a kept message that is expired is not shown") {
  RetainedStore store(10'000);
  store.set("a", message("old", 99));
  store.set("b", message("new", 101));
  CHECK(seen(store, "a", false).empty());
  CHECK(seen(store, "b", false) == Bodies{"new"});
}

TEST_CASE("what all topics keep is bounded, and a replacement counts for what it adds") {
  RetainedStore store(200);
  REQUIRE(store.has_room("a", 150));
  store.set("a", message(std::string(150 - 64, 'x')));
  CHECK(store.has_room("b", 150).error().code == storage::ErrorCode::kFull);
  CHECK(store.has_room("a", 150));
}

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "broker/routing/router.h"
#include "tests/unit/routing/recorder.h"

using namespace stompbox;
using routing::AckMode;
using routing::Browsing;
using routing::Reach;
using routing::SubscribeRequest;
using testing::Recorder;
using testing::RouterTable;
using Bodies = std::vector<std::string>;
using Numbers = std::vector<std::uint64_t>;
using Count = std::optional<storage::Result<std::uint64_t>>;

namespace {

routing::Router::Done into(Count& count) {
  return [&count](storage::Result<std::uint64_t> result) { count.emplace(std::move(result)); };
}

routing::RoutingOptions small_memory() {
  routing::RoutingOptions options;
  options.resident_count_max = 4;
  return options;
}

void send_many(RouterTable& table, routing::PeerId from, int count) {
  for (int i = 0; i < count; ++i)
    REQUIRE(table.send(from, "/queue/q", std::to_string(i)));
}

routing::Destination queue_called(std::string name) {
  routing::Destination destination;
  destination.name = std::move(name);
  return destination;
}

SubscribeRequest browser(routing::PeerId peer, Browsing browsing, std::size_t credit = 1000) {
  SubscribeRequest request;
  request.peer = peer;
  request.tag = 5;
  request.browsing = browsing;
  request.credit = {credit, 1 << 20};
  return request;
}

}  // namespace

TEST_CASE("a purge takes all that waits, in memory and in the store, and the receipts fall due") {
  RouterTable table(small_memory());
  Recorder producer;
  const auto from = table.join(producer);
  send_many(table, from, 700);
  REQUIRE(table.send(from, "/queue/q", "last", 3));
  Count count;
  table.router.purge("q", into(count));
  table.settle();
  REQUIRE(count);
  CHECK(**count == 701);
  CHECK(producer.receipts == Numbers{3});
  CHECK(table.journal.stored_count("q") == 0);
  CHECK(table.router.queue_figures()[0].waiting == 0);
}

TEST_CASE("a purge leaves what is in flight with its consumer") {
  RouterTable table;
  Recorder producer, consumer;
  send_many(table, table.join(producer), 3);
  const auto subscription =
      table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual, {1, 1 << 20});
  table.settle();
  Count count;
  table.router.purge("q", into(count));
  table.settle();
  REQUIRE(count);
  CHECK(**count == 2);
  CHECK(table.journal.stored_count("q") == 1);
  CHECK(table.router.acknowledge(subscription, consumer.deliveries[0].id, Reach::kOne, {}));
}

TEST_CASE("the verbs of an operator say which queue there is not") {
  RouterTable table;
  Count purged, removed, moved;
  table.router.purge("none", into(purged));
  table.router.remove_queue("none", into(removed));
  table.router.move_messages("none", queue_called("b"), 1, into(moved));
  for (const Count& count : {purged, removed, moved}) {
    REQUIRE(count);
    CHECK(count->error().code == storage::ErrorCode::kNotFound);
  }
}

TEST_CASE("a queue is removed with what waits in it, but not under its consumers") {
  RouterTable table(small_memory());
  Recorder producer, consumer;
  send_many(table, table.join(producer), 9);
  const auto peer = table.join(consumer);
  table.subscribe(peer, "/queue/q", AckMode::kIndividual, {1, 1 << 20});
  Count refused, count;
  table.router.remove_queue("q", into(refused));
  CHECK(refused->error().code == storage::ErrorCode::kInvalid);
  table.router.detach(peer);
  table.router.remove_queue("q", into(count));
  table.settle();
  REQUIRE(count);
  CHECK(**count == 9);
  CHECK(table.journal.state().queues.empty());
  CHECK(table.router.figures().resident_bytes == 0);
}

TEST_CASE("messages are moved oldest first, from the store too, as many as were asked for") {
  RouterTable table(small_memory());
  Recorder producer, consumer;
  send_many(table, table.join(producer), 20);
  table.settle();
  Count count;
  table.router.move_messages("q", queue_called("r"), 12, into(count));
  table.settle();
  REQUIRE(count);
  CHECK(**count == 12);
  CHECK(table.journal.stored_count("q") == 8);
  REQUIRE(table.journal.stored_count("r") == 12);
  CHECK(table.journal.stored("r")[0].message->body == "0");
  CHECK(table.journal.stored("r")[11].message->body == "11");
  CHECK(table.journal.stored("r")[0].message->destination == "/queue/r");
}

TEST_CASE("messages are not moved onto themselves or to a pattern") {
  RouterTable table;
  Recorder producer;
  send_many(table, table.join(producer), 1);
  Count same, wild;
  table.router.move_messages("q", queue_called("q"), 5, into(same));
  CHECK(same->error().code == storage::ErrorCode::kInvalid);
  routing::Destination pattern = queue_called("x.*");
  pattern.has_wildcards = true;
  table.router.move_messages("q", pattern, 5, into(wild));
  CHECK(wild->error().code == storage::ErrorCode::kInvalid);
}

TEST_CASE("a reset forgets all messages and keeps peers and subscriptions") {
  RouterTable table(small_memory());
  Recorder producer, consumer;
  const auto from = table.join(producer);
  const auto to = table.join(consumer);
  const auto held = table.subscribe(to, "/queue/q", AckMode::kIndividual, {2, 1 << 20});
  table.subscribe(to, "/topic/t", AckMode::kIndividual, {1, 1 << 20});
  send_many(table, from, 9);
  for (const char* body : {"t1", "t2"})
    REQUIRE(table.send(from, "/topic/t", body));
  REQUIRE(table.send(from, "/queue/other", "x"));
  table.settle();
  Count count;
  table.router.reset(into(count));
  table.settle();
  REQUIRE(count);
  CHECK(table.router.queue_figures().size() == 1);
  CHECK(table.router.queue_figures()[0].waiting == 0);
  CHECK(table.router.figures().resident_bytes == 0);
  const std::size_t before = consumer.deliveries.size();
  for (std::size_t i = 0; i < before; ++i) {
    const routing::Delivery delivery = consumer.deliveries[i];
    CHECK(table.router.acknowledge(delivery.subscription, delivery.id, Reach::kOne, {}));
  }
  REQUIRE(table.send(from, "/queue/q", "new"));
  CHECK(consumer.deliveries.size() == before + 1);
  CHECK(consumer.deliveries.back().message->body == "new");
  table.settle();
  CHECK(table.router.acknowledge(held, consumer.deliveries.back().id, Reach::kOne, {}));
}

TEST_CASE("after a reset a browser that follows still takes nothing") {
  RouterTable table;
  Recorder producer, viewer, chooser;
  const auto from = table.join(producer);
  const auto to = table.join(viewer);
  REQUIRE(table.subscribe_as(browser(to, Browsing::kFollow), "/queue/q"));
  Count count;
  table.router.reset(into(count));
  table.settle();
  REQUIRE(table.send(from, "/queue/q", "a"));
  table.settle();
  CHECK(viewer.bodies() == Bodies{"a"});
  CHECK(table.router.queue_figures()[0].waiting == 1);
  // The same where others choose by a selector; and it leaves nothing behind when it goes.
  SubscribeRequest choosy;
  choosy.peer = table.join(chooser);
  choosy.selector = *routing::Selector::parse("a='1'");
  REQUIRE(table.subscribe_as(std::move(choosy), "/queue/q"));
  table.router.reset(into(count));
  table.settle();
  table.router.detach(to);
  REQUIRE(table.send(from, "/queue/q", "b"));
  CHECK(chooser.bodies().empty());
}

TEST_CASE("whether a destination is there can be asked without making it") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  const auto is_there = [&table, from](std::string_view name) {
    return table.router.exists(from, *routing::view_destination(name));
  };
  CHECK_FALSE(is_there("/queue/q"));
  CHECK_FALSE(is_there("/topic/t"));
  REQUIRE(table.send(from, "/queue/q", "x"));
  table.subscribe(table.join(consumer), "/topic/t", AckMode::kAuto);
  CHECK(is_there("/queue/q"));
  CHECK(is_there("/topic/t"));
  CHECK_FALSE(is_there("/dsub/d"));
}

TEST_CASE("a browser sees all that is there, takes nothing, and is told the end") {
  RouterTable table(small_memory());
  Recorder producer, viewer;
  send_many(table, table.join(producer), 200);
  table.settle();
  REQUIRE(table.subscribe_as(browser(table.join(viewer), Browsing::kOnce), "/queue/q"));
  table.settle();
  REQUIRE(viewer.deliveries.size() == 200);
  CHECK(viewer.deliveries[0].message->body == "0");
  CHECK(viewer.deliveries[199].message->body == "199");
  CHECK(viewer.ended_tags == std::vector<std::uint32_t>{5});
  CHECK(table.journal.stored_count("q") == 200);
  CHECK(table.router.queue_figures()[0].consumers == 0);
}

TEST_CASE("a browser has no more outstanding than its credit, and goes on as it acknowledges") {
  RouterTable table(small_memory());
  Recorder producer, viewer;
  send_many(table, table.join(producer), 10);
  table.settle();
  const auto subscription =
      table.subscribe_as(browser(table.join(viewer), Browsing::kOnce, 2), "/queue/q");
  REQUIRE(subscription);
  for (std::size_t seen = 0; seen < 10; ++seen) {
    table.settle();
    REQUIRE(viewer.deliveries.size() > seen);
    CHECK(viewer.deliveries.size() <= seen + 2);
    REQUIRE(table.router.acknowledge(*subscription, viewer.deliveries[seen].id, Reach::kOne, {}));
  }
  table.settle();
  CHECK(viewer.deliveries.size() == 10);
  CHECK(viewer.ended_tags.size() == 1);
  CHECK(table.journal.stored_count("q") == 10);
}

TEST_CASE("a browser that follows sees what comes after the end, each message once") {
  RouterTable table;
  Recorder producer, viewer;
  const auto from = table.join(producer);
  send_many(table, from, 2);
  REQUIRE(table.subscribe_as(browser(table.join(viewer), Browsing::kFollow), "/queue/q"));
  table.settle();
  CHECK(viewer.ended_tags.size() == 1);
  REQUIRE(table.send(from, "/queue/q", "new"));
  table.settle();
  CHECK(viewer.bodies() == Bodies{"0", "1", "new"});
}

TEST_CASE("a browser may begin later, or with what comes only") {
  RouterTable table;
  Recorder producer, later, only_new;
  const auto from = table.join(producer);
  send_many(table, from, 3);
  SubscribeRequest request = browser(table.join(later), Browsing::kOnce);
  request.browse_from = 3;
  REQUIRE(table.subscribe_as(request, "/queue/q"));
  CHECK(later.bodies() == Bodies{"2"});
  CHECK(later.deliveries[0].seq == 3);
  request = browser(table.join(only_new), Browsing::kFollow);
  request.browse_from = UINT64_MAX;
  REQUIRE(table.subscribe_as(request, "/queue/q"));
  REQUIRE(table.send(from, "/queue/q", "new"));
  CHECK(only_new.bodies() == Bodies{"new"});
}

TEST_CASE("a browser of an empty queue is told the end at once") {
  RouterTable table;
  Recorder viewer;
  REQUIRE(table.subscribe_as(browser(table.join(viewer), Browsing::kOnce), "/queue/none"));
  CHECK(viewer.ended_tags.size() == 1);
}

TEST_CASE("only a single queue can be browsed") {
  RouterTable table;
  Recorder viewer;
  const auto peer = table.join(viewer);
  for (const char* name : {"/topic/t", "/queue/a,/queue/b", "/queue/x.*"}) {
    CHECK(table.subscribe_as(browser(peer, Browsing::kOnce), name).error().code ==
          storage::ErrorCode::kInvalid);
  }
}

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "broker/routing/router.h"
#include "tests/unit/routing/recorder.h"

// Bounds, full disks and rests, where several rules meet.
using namespace stompbox;
using namespace std::chrono_literals;
using routing::AckMode;
using routing::Admission;
using routing::Draft;
using routing::Outcome;
using routing::Reach;
using routing::RoutingOptions;
using testing::FakeJournal;
using testing::Recorder;
using testing::RouterTable;
using Bodies = std::vector<std::string>;

namespace {

Draft draft(std::string destination, std::string body = "x") {
  Draft made;
  made.destination = std::move(destination);
  made.body = std::move(body);
  return made;
}

routing::Transacted send(std::string destination, std::string body) {
  routing::TransactedSend made;
  made.draft = draft(std::move(destination), std::move(body));
  return made;
}

routing::SubscribeRequest follower(routing::PeerId peer) {
  routing::SubscribeRequest request;
  request.peer = peer;
  request.browsing = routing::Browsing::kFollow;
  return request;
}

routing::Credit one_at_a_time() {
  return {1, 1 << 20};
}

// A store with that many messages in a queue, as a start finds it.
FakeJournal store_with(const std::string& queue, std::size_t count, std::size_t bytes = 1) {
  RouterTable table;
  Recorder producer;
  const auto from = table.join(producer);
  for (std::size_t i = 0; i < count; ++i) {
    std::string body = std::to_string(i);
    body.resize(std::max(bytes, body.size()), '.');
    REQUIRE(table.send(from, "/queue/" + queue, body));
  }
  table.settle();
  return table.journal;
}

}  // namespace

TEST_CASE("what was found at a start makes room like what came since") {
  RoutingOptions options;
  options.queue_policy.messages_max = 3;
  options.queue_policy.when_full = routing::WhenFull::kDropOldest;
  RouterTable table(store_with("q", 10), options);
  Recorder producer, consumer;
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual, one_at_a_time());
  table.settle();
  REQUIRE(table.send(table.join(producer), "/queue/q", "new"));
  table.settle();
  CHECK(table.journal.stored_count("q") == 3);
  CHECK(table.router.queue_figures()[0].dropped == 8);
}

TEST_CASE("dead letters that were found at a start make room for new ones, down to the bound") {
  RoutingOptions options;
  options.dead_letter_bytes_max = 10'000;
  RouterTable table(store_with("dead-letter", 40, 1000), options);
  Recorder producer, consumer;
  REQUIRE(table.send(table.join(producer), "/queue/q", "bad"));
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  REQUIRE(table.router.refuse_delivery(subscription, consumer.deliveries[0].id, Reach::kOne,
                                       Outcome::kReject, {}));
  table.settle();
  CHECK(table.journal.stored_count("dead-letter") <= 10);
  CHECK(table.journal.stored_count("dead-letter") >= 5);
  CHECK(table.journal.stored("dead-letter").back().message->body == "bad");
}

TEST_CASE("a delayed message comes once, and not early, although its queue had time to rest") {
  RoutingOptions options;
  options.queue_policy.redelivery_delay = 25s;
  RouterTable table(options);
  Recorder producer, first, second;
  const auto from = table.join(producer);
  for (const char* body : {"1", "2", "3"})
    REQUIRE(table.send(from, "/queue/q", body));
  table.settle();
  const auto reader = table.join(first);
  const auto held = table.subscribe(reader, "/queue/q", AckMode::kIndividual);
  REQUIRE(first.deliveries.size() == 3);
  REQUIRE(table.router.refuse_delivery(held, first.deliveries[1].id, Reach::kOne, Outcome::kReturn,
                                       {}));
  table.router.detach(reader);
  table.settle();
  for (std::int64_t now_ms = 2'000; now_ms <= 16'000; now_ms += 1'000) {
    table.router.on_time(now_ms);
    table.settle();
  }
  const auto again = table.subscribe(table.join(second), "/queue/q", AckMode::kIndividual);
  table.settle();
  CHECK(second.bodies() == Bodies{"1", "3"});
  table.router.on_time(27'000);
  table.settle();
  CHECK(second.bodies() == Bodies{"2"});
  for (const routing::Delivery& delivery : second.deliveries)
    CHECK(table.router.acknowledge(again, delivery.id, Reach::kOne, {}));
  table.router.on_time(60'000);
  table.settle();
  CHECK(second.bodies().empty());
  CHECK(table.journal.stored_count("q") == 0);
}

TEST_CASE(
    "who follows a queue sees a transaction when it is synced, and what came behind it then") {
  RouterTable table;
  Recorder producer, viewer;
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/queue/q", "0"));
  table.settle();
  REQUIRE(table.subscribe_as(follower(table.join(viewer)), "/queue/q"));
  CHECK(viewer.bodies() == Bodies{"0"});
  REQUIRE(table.router.commit(from, {send("/queue/q", "1"), send("/queue/q", "2")}, 1000, {}));
  REQUIRE(table.send(from, "/queue/q", "3"));
  CHECK(viewer.bodies().empty());
  table.settle();
  CHECK(viewer.bodies() == Bodies{"1", "2", "3"});
  REQUIRE(table.send(from, "/queue/q", "4"));
  CHECK(viewer.bodies() == Bodies{"4"});
}

TEST_CASE("what came back is never withdrawn: no count of deliveries is left for its place") {
  RouterTable table;
  Recorder producer, consumer;
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  REQUIRE(table.send(table.join(producer), "/queue/q", "a"));
  REQUIRE(table.router.refuse_delivery(subscription, consumer.deliveries[0].id, Reach::kOne,
                                       Outcome::kReturn, {}));
  REQUIRE(consumer.deliveries.size() == 2);
  REQUIRE(table.router.acknowledge(subscription, consumer.deliveries[1].id, Reach::kOne, {}));
  table.settle();
  CHECK(table.router.figures().withdrawn == 0);
  CHECK(table.journal.append_count() == 1);
  CHECK(table.journal.stored_count("q") == 0);
}

TEST_CASE(
    "on a full disk a rejected message waits in its place, and is a letter when there is room") {
  RouterTable table;
  Recorder producer, consumer;
  REQUIRE(table.send(table.join(producer), "/queue/q", "a"));
  table.settle();
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  table.journal.set_disk(FakeJournal::Disk::kFull);
  table.commit();
  REQUIRE(table.router.refuse_delivery(subscription, consumer.deliveries[0].id, Reach::kOne,
                                       Outcome::kReject, {}));
  table.commit();
  CHECK(table.journal.pending_bytes() == 0);
  CHECK(consumer.deliveries.size() == 1);
  table.journal.set_disk(FakeJournal::Disk::kRoom);
  table.commit();
  table.router.on_time(5'000);
  REQUIRE(consumer.deliveries.size() == 2);
  REQUIRE(table.router.refuse_delivery(subscription, consumer.deliveries[1].id, Reach::kOne,
                                       Outcome::kReject, {}));
  table.settle();
  CHECK(table.journal.stored_count("q") == 0);
  CHECK(table.journal.stored_count("dead-letter") == 1);
}

TEST_CASE("on a full disk who has sent a transaction to a topic waits with what follows it") {
  RouterTable table;
  Recorder producer, other;
  const auto from = table.join(producer);
  const auto neighbour = table.join(other);
  table.journal.set_disk(FakeJournal::Disk::kFull);
  REQUIRE(table.router.commit(from, {send("/queue/q", "1"), send("/topic/t", "2")}, 1000, {}));
  table.commit();
  CHECK(table.router.admit(from, draft("/topic/t"), false) == Admission::kWait);
  CHECK(table.router.admit(neighbour, draft("/topic/t"), false) == Admission::kAccept);
  table.journal.set_disk(FakeJournal::Disk::kRoom);
  table.commit();
  table.settle();
  CHECK(producer.rooms == 1);
  CHECK(table.router.admit(from, draft("/topic/t"), false) == Admission::kAccept);
}

TEST_CASE("a full durable subscription makes who sends to its topic wait") {
  RoutingOptions options;
  options.queue_policy.messages_max = 1;
  RouterTable table(options);
  Recorder producer, reader;
  const auto from = table.join(producer);
  const auto peer = table.join(reader);
  routing::SubscribeRequest request;
  request.peer = peer;
  request.durable_name = "d";
  const auto subscription = table.subscribe_as(request, "/topic/t");
  REQUIRE(subscription);
  table.router.unsubscribe(*subscription);
  CHECK(table.router.admit(from, draft("/topic/t"), false) == Admission::kAccept);
  REQUIRE(table.send(from, "/topic/t", "1"));
  CHECK(table.router.admit(from, draft("/topic/other"), false) == Admission::kAccept);
  CHECK(table.router.admit(from, draft("/topic/t"), true) == Admission::kRefuse);
  CHECK(table.router.admit(from, draft("/topic/t"), false) == Admission::kWait);
  request.credit = {10, 1 << 20};
  const auto again = table.subscribe_as(request, "/topic/t");
  REQUIRE(reader.deliveries.size() == 1);
  REQUIRE(table.router.acknowledge(*again, reader.deliveries[0].id, Reach::kOne, {}));
  CHECK(producer.rooms == 1);
}

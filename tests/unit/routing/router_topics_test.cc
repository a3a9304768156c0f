#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "broker/routing/router.h"
#include "tests/unit/routing/recorder.h"

using namespace stompbox;
using routing::AckMode;
using routing::Draft;
using routing::Retain;
using routing::SubscribeRequest;
using testing::FakeJournal;
using testing::Recorder;
using testing::RouterTable;
using Bodies = std::vector<std::string>;
using Numbers = std::vector<std::uint64_t>;

namespace {

Draft draft(std::string destination, std::string body, std::string header_block = {}) {
  Draft made;
  made.destination = std::move(destination);
  made.body = std::move(body);
  made.header_block = std::move(header_block);
  return made;
}

SubscribeRequest request(routing::PeerId peer, AckMode mode = AckMode::kIndividual) {
  SubscribeRequest made;
  made.peer = peer;
  made.ack_mode = mode;
  return made;
}

SubscribeRequest durable(routing::PeerId peer, std::string name, std::string_view selector = {}) {
  SubscribeRequest made = request(peer);
  made.durable_name = std::move(name);
  if (!selector.empty()) made.selector = *routing::Selector::parse(selector);
  return made;
}

}  // namespace

TEST_CASE("a pattern gets what is sent to the topics that it matches") {
  RouterTable table;
  Recorder producer, consumer;
  REQUIRE(table.subscribe_as(request(table.join(consumer)), "/topic/x.*"));
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/topic/x.a", "a"));
  REQUIRE(table.send(from, "/topic/y.a", "b"));
  CHECK(consumer.bodies() == Bodies{"a"});
}

TEST_CASE("a subscription gets a message once, however many of its destinations match") {
  RouterTable table;
  Recorder producer, consumer;
  REQUIRE(table.subscribe_as(request(table.join(consumer)), "/topic/x.a,/topic/x.*,/queue/q"));
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/topic/x.a", "a"));
  REQUIRE(table.send(from, "/queue/q", "b"));
  CHECK(consumer.bodies() == Bodies{"a", "b"});
}

TEST_CASE("a message cannot be sent to a name with wildcards") {
  RouterTable table;
  Recorder producer;
  const auto from = table.join(producer);
  CHECK(table.send(from, "/topic/x.*", "a").error().code == storage::ErrorCode::kInvalid);
  CHECK(table.send(from, "/queue/>", "a").error().code == storage::ErrorCode::kInvalid);
}

TEST_CASE("selectors choose on topics") {
  RouterTable table;
  Recorder producer, consumer;
  SubscribeRequest wanted = request(table.join(consumer));
  wanted.selector = *routing::Selector::parse("colour = 'red'");
  REQUIRE(table.subscribe_as(wanted, "/topic/t"));
  const auto from = table.join(producer);
  REQUIRE(table.publish(from, draft("/topic/t", "a", "colour:red\n")));
  REQUIRE(table.publish(from, draft("/topic/t", "b", "colour:blue\n")));
  CHECK(consumer.bodies() == Bodies{"a"});
}

TEST_CASE("no-local: a peer does not get what it sent itself") {
  RouterTable table;
  Recorder one, two;
  const auto peer = table.join(one);
  SubscribeRequest wanted = request(peer);
  wanted.locality = routing::Locality::kNotOwn;
  REQUIRE(table.subscribe_as(wanted, "/topic/t"));
  REQUIRE(table.send(peer, "/topic/t", "own"));
  REQUIRE(table.send(table.join(two), "/topic/t", "other"));
  CHECK(one.bodies() == Bodies{"other"});
}

TEST_CASE("a composite SEND reaches each of its destinations under its own name") {
  RouterTable table;
  Recorder producer, consumer;
  const auto to = table.join(consumer);
  table.subscribe(to, "/queue/a", AckMode::kIndividual);
  table.subscribe(to, "/topic/b", AckMode::kIndividual);
  REQUIRE(table.send(table.join(producer), "/queue/a,/topic/b", "x", 3));
  REQUIRE(consumer.bodies() == Bodies{"x", "x"});
  CHECK(consumer.deliveries[0].message->destination == "/queue/a");
  CHECK(consumer.deliveries[1].message->destination == "/topic/b");
  CHECK(producer.receipts.empty());
  table.commit();
  CHECK(producer.receipts == Numbers{3});
}

TEST_CASE("a composite SEND with one bad destination reaches none") {
  RouterTable table;
  Recorder producer;
  CHECK_FALSE(table.send(table.join(producer), "/queue/a,/queue/b.*", "x"));
  CHECK(table.router.queue_figures().empty());
}

TEST_CASE("a topic shows the message that it has kept to who comes later") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  Draft kept = draft("/topic/t", "kept");
  kept.retain = Retain::kSet;
  REQUIRE(table.publish(from, kept));
  REQUIRE(table.send(from, "/topic/t", "passed"));
  REQUIRE(table.subscribe_as(request(table.join(consumer)), "/topic/*"));
  REQUIRE(consumer.bodies() == Bodies{"kept"});
  CHECK(consumer.deliveries[0].retained);
  kept.retain = Retain::kRemove;
  REQUIRE(table.publish(from, kept));
  CHECK_FALSE(consumer.deliveries[1].retained);
  CHECK(table.router.figures().retained == 0);
}

TEST_CASE("beyond its bound a slow subscription loses its oldest messages, and is told how many") {
  routing::RoutingOptions options;
  options.topic_policy.backlog_count_max = 2;
  options.topic_policy.when_slow = routing::WhenSlow::kDropOldest;
  RouterTable table(options);
  Recorder producer, consumer;
  const auto subscription =
      table.subscribe(table.join(consumer), "/topic/t", AckMode::kIndividual, {1, 1 << 20});
  const auto from = table.join(producer);
  for (const char* body : {"1", "2", "3", "4", "5"})
    REQUIRE(table.send(from, "/topic/t", body));
  table.router.set_credit(subscription, {10, 1 << 20});
  CHECK(consumer.bodies() == Bodies{"1", "4", "5"});
  CHECK(table.router.figures().topic_dropped == 2);
  CHECK(consumer.deliveries[0].lost_before == 0);
  CHECK(consumer.deliveries[1].lost_before == 2);
  CHECK(consumer.deliveries[2].lost_before == 0);
  CHECK(consumer.slow_tags.empty());
}

TEST_CASE("beyond the bound on all backlogs the largest suffers") {
  routing::RoutingOptions options;
  options.topic_backlog_total_bytes_max = 1000;
  RouterTable table(options);
  Recorder producer, large, small;
  table.subscribe(table.join(large), "/topic/l", AckMode::kIndividual, {1, 1 << 20}, 1);
  table.subscribe(table.join(small), "/topic/s", AckMode::kIndividual, {1, 1 << 20}, 2);
  const auto from = table.join(producer);
  for (int i = 0; i < 4; ++i)
    REQUIRE(table.send(from, "/topic/l", std::string(200, 'x')));
  for (int i = 0; i < 3; ++i)
    REQUIRE(table.send(from, "/topic/s", std::string(100, 'x')));
  CHECK(large.slow_tags == std::vector<std::uint32_t>{1});
  CHECK(small.slow_tags.empty());
}

TEST_CASE("a durable subscription keeps what comes while nobody listens, over a restart") {
  RouterTable table;
  Recorder producer, consumer;
  const auto reader = table.join(consumer);
  REQUIRE(table.subscribe_as(durable(reader, "d"), "/topic/t"));
  table.router.detach(reader);
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/topic/t", "a", 4));
  CHECK(producer.receipts.empty());
  table.settle();
  CHECK(producer.receipts == Numbers{4});
  table.journal.crash();

  RouterTable second(std::move(table.journal));
  Recorder again;
  REQUIRE(second.send(second.join(producer), "/topic/t", "b"));
  REQUIRE(second.subscribe_as(durable(second.join(again), "d"), "/topic/t"));
  second.settle();
  CHECK(again.bodies() == Bodies{"a", "b"});
  CHECK(again.deliveries[0].redelivered);
  CHECK(again.deliveries[0].message->destination == "/topic/t");
}

TEST_CASE("all who use the name of a durable subscription share its backlog") {
  RouterTable table;
  Recorder producer, one, two;
  REQUIRE(table.subscribe_as(durable(table.join(one), "d"), "/topic/t"));
  REQUIRE(table.subscribe_as(durable(table.join(two), "d"), "/topic/t"));
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/topic/t", "a"));
  REQUIRE(table.send(from, "/topic/t", "b"));
  CHECK(one.bodies().size() + two.bodies().size() == 2);
}

TEST_CASE("a changed topic or selector of a durable subscription holds from then on") {
  RouterTable table;
  Recorder producer, consumer;
  const auto reader = table.join(consumer);
  const auto first = table.subscribe_as(durable(reader, "d", "n = 1"), "/topic/t");
  REQUIRE(first);
  const auto from = table.join(producer);
  table.router.detach(reader);
  REQUIRE(table.publish(from, draft("/topic/t", "a", "n:1\n")));
  const auto later = table.join(consumer);
  REQUIRE(table.subscribe_as(durable(later, "d", "n = 2"), "/topic/*"));
  REQUIRE(table.publish(from, draft("/topic/t", "b", "n:1\n")));
  REQUIRE(table.publish(from, draft("/topic/u", "c", "n:2\n")));
  CHECK(consumer.bodies() == Bodies{"a", "c"});
}

TEST_CASE("one receipt stands for all durable subscriptions of a topic") {
  RouterTable table;
  Recorder producer, consumer;
  const auto reader = table.join(consumer);
  REQUIRE(table.subscribe_as(durable(reader, "d"), "/topic/t"));
  REQUIRE(table.subscribe_as(durable(reader, "e"), "/topic/t"));
  REQUIRE(table.send(table.join(producer), "/topic/t", "a", 4));
  CHECK(consumer.bodies() == Bodies{"a", "a"});
  CHECK(producer.receipts.empty());
  table.commit();
  CHECK(producer.receipts == Numbers{4});
  CHECK(table.journal.stored_count("/dsub/d") == 1);
  CHECK(table.journal.stored_count("/dsub/e") == 1);
}

TEST_CASE("a durable subscription is forgotten with its backlog, but not while it is in use") {
  RouterTable table;
  Recorder producer, consumer;
  const auto reader = table.join(consumer);
  REQUIRE(table.subscribe_as(durable(reader, "d"), "/topic/t"));
  CHECK(table.router.forget_durable("d").error().code == storage::ErrorCode::kInvalid);
  table.router.detach(reader);
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/topic/t", "a", 5));
  REQUIRE(table.router.forget_durable("d"));
  CHECK(table.router.forget_durable("d").error().code == storage::ErrorCode::kNotFound);
  table.settle();
  CHECK(producer.receipts == Numbers{5});
  CHECK(table.journal.state().queues.empty());
  CHECK(table.router.figures().durable_subscriptions == 0);
}

TEST_CASE("a durable subscription is forgotten while what was delivered of it waits for its ACK") {
  RouterTable table;
  Recorder producer, consumer;
  const auto reader = table.join(consumer);
  routing::SubscribeRequest wish = durable(reader, "d");
  wish.ack_mode = routing::AckMode::kIndividual;
  const auto subscription = table.subscribe_as(wish, "/topic/t");
  REQUIRE(subscription);
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/topic/t", "a", 5));
  REQUIRE(table.send(from, "/topic/t", "b"));
  REQUIRE(consumer.bodies() == Bodies{"a", "b"});
  table.settle();
  CHECK(table.router.forget_durable("d").error().code == storage::ErrorCode::kInvalid);
  table.router.unsubscribe(*subscription);
  REQUIRE(table.router.forget_durable("d"));
  table.settle();
  CHECK(table.journal.state().queues.empty());
  CHECK(table.router.figures().durable_subscriptions == 0);
  CHECK(table.router.acknowledge(*subscription, consumer.deliveries.at(0).id, routing::Reach::kOne,
                                 routing::ReceiptNumber{6}));
  CHECK(table.router.give_back(*subscription, consumer.deliveries.at(1).id, routing::Reach::kOne,
                               routing::Seen::kMaybe, {}));
  CHECK(consumer.receipts == Numbers{6});
  CHECK(table.router.figures().subscriptions == 0);
}

TEST_CASE("the backlog of a durable subscription can be named, when it is there") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  CHECK(table.send(from, "/dsub/d", "a").error().code == storage::ErrorCode::kNotFound);
  const auto reader = table.join(consumer);
  REQUIRE(table.subscribe_as(durable(reader, "d"), "/topic/t"));
  table.router.detach(reader);
  REQUIRE(table.send(from, "/dsub/d", "a"));
  const auto other = table.join(consumer);
  REQUIRE(table.subscribe_as(request(other), "/dsub/d"));
  CHECK(consumer.bodies() == Bodies{"a"});
}

TEST_CASE("a wildcard subscription consumes from the queues of now and later") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/queue/x.a", "1"));
  REQUIRE(table.subscribe_as(request(table.join(consumer)), "/queue/x.*"));
  REQUIRE(table.send(from, "/queue/x.b", "2"));
  REQUIRE(table.send(from, "/queue/y", "3"));
  CHECK(consumer.bodies() == Bodies{"1", "2"});
  table.settle();
  for (const routing::Delivery& delivery : consumer.deliveries) {
    CHECK(table.router.acknowledge(delivery.subscription, delivery.id, routing::Reach::kOne, {}));
  }
}

TEST_CASE("a temporary queue is its owner's, and everybody may send to it by its foreign name") {
  RouterTable table;
  Recorder owner, stranger;
  const auto mine = table.join(owner, "abc");
  const auto other = table.join(stranger, "xyz");
  REQUIRE(table.subscribe_as(request(mine), "/temp-queue/r"));
  REQUIRE(table.send(other, "/remote-temp-queue/abc.r", "reply", 4));
  CHECK(owner.bodies() == Bodies{"reply"});
  CHECK(stranger.receipts == Numbers{4});
  CHECK(table.subscribe_as(request(other), "/remote-temp-queue/abc.r").error().code ==
        storage::ErrorCode::kDenied);
  table.settle();
  CHECK(table.journal.append_count() == 0);
}

TEST_CASE("a temporary queue goes with its owner, and a SEND to it gets an error") {
  RouterTable table;
  Recorder owner, stranger;
  const auto mine = table.join(owner, "abc");
  const auto other = table.join(stranger, "xyz");
  REQUIRE(table.send(other, "/remote-temp-queue/abc.r", "early"));
  CHECK(table.router.queue_figures().size() == 1);
  table.router.detach(mine);
  CHECK(table.router.queue_figures().empty());
  CHECK(table.send(other, "/remote-temp-queue/abc.r", "late").error().code ==
        storage::ErrorCode::kNotFound);
  CHECK(table.router.figures().resident_bytes == 0);
}

TEST_CASE("what an earlier life spilled of a temporary queue is dropped at the start") {
  routing::RoutingOptions options;
  options.resident_count_max = 1;
  RouterTable table(options);
  Recorder owner, stranger;
  (void)table.join(owner, "abc");
  const auto other = table.join(stranger, "xyz");
  for (const char* body : {"1", "2", "3"})
    REQUIRE(table.send(other, "/remote-temp-queue/abc.r", body));
  table.settle();
  CHECK(table.journal.append_count() == 2);
  table.journal.crash();
  RouterTable second(std::move(table.journal));
  second.settle();
  CHECK(second.router.queue_figures().empty());
  CHECK(second.journal.state().queues.empty());
}

TEST_CASE("a temporary topic reaches its owner, and is gone with it") {
  RouterTable table;
  Recorder owner, stranger;
  const auto mine = table.join(owner, "abc");
  const auto other = table.join(stranger, "xyz");
  REQUIRE(table.subscribe_as(request(mine), "/temp-topic/r"));
  REQUIRE(table.send(other, "/remote-temp-topic/abc.r", "x"));
  CHECK(owner.bodies() == Bodies{"x"});
  table.router.detach(mine);
  CHECK(table.send(other, "/remote-temp-topic/abc.r", "y").error().code ==
        storage::ErrorCode::kNotFound);
}

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

routing::Transacted ack(const routing::Delivery& delivery, Reach reach = Reach::kOne) {
  return routing::TransactedVerdict{
      delivery.subscription, delivery.id, reach, Outcome::kAcknowledge, {}};
}

std::vector<routing::Transacted> sends(std::size_t count, const std::string& destination,
                                       const std::string& body = "x") {
  return std::vector<routing::Transacted>(count, send(destination, body));
}

RoutingOptions messages_max(std::uint64_t count) {
  RoutingOptions options;
  options.queue_policy.messages_max = count;
  return options;
}

// A queue `q` of at most three messages that has some, with one consumer.
struct Bounded {
  explicit Bounded(std::size_t count, routing::Credit credit = {}) : table(messages_max(3)) {
    for (std::size_t i = 0; i < count; ++i)
      REQUIRE(table.send(from, "/queue/q", std::to_string(i)));
    table.settle();
    subscription = table.subscribe(at, "/queue/q", AckMode::kIndividual, credit);
    table.settle();
  }

  Admission ask(routing::PeerId peer, const std::vector<routing::Transacted>& actions,
                bool asks_receipt = false) {
    const auto answer = table.router.admit_together(peer, actions, asks_receipt);
    REQUIRE(answer);
    return *answer;
  }

  RouterTable table;
  Recorder producer, consumer;
  routing::PeerId from = table.join(producer);
  routing::PeerId at = table.join(consumer);
  routing::SubscriptionId subscription;
};

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

TEST_CASE("room is asked for all that a transaction sends to a queue") {
  Bounded of(2);
  CHECK(of.ask(of.from, sends(1, "/queue/q")) == Admission::kAccept);
  CHECK(of.ask(of.from, sends(2, "/queue/q")) == Admission::kWait);
  CHECK(of.ask(of.from, sends(2, "/queue/q"), true) == Admission::kRefuse);
  CHECK(of.ask(of.from, {send("/queue/other", "1"), send("/queue/q", "2"),
                         send("/queue/other", "3")}) == Admission::kAccept);
}

TEST_CASE("a transaction that waits for room is told when there is enough of it") {
  Bounded of(3);
  REQUIRE(of.ask(of.from, sends(2, "/queue/q")) == Admission::kWait);
  const auto take = [&of](std::size_t index) {
    return of.table.router.acknowledge(of.subscription, of.consumer.deliveries.at(index).id,
                                       Reach::kOne, {});
  };
  REQUIRE(take(0));
  CHECK(of.producer.rooms == 0);
  REQUIRE(take(1));
  CHECK(of.producer.rooms == 1);
  CHECK(of.ask(of.from, sends(2, "/queue/q")) == Admission::kAccept);
}

TEST_CASE("a transaction that can never fit is an error that names the queue and its bound") {
  Bounded of(0);
  CHECK(of.ask(of.from, sends(3, "/queue/q")) == Admission::kAccept);
  for (const char* queue : {"q", "not there yet"}) {
    const auto answer =
        of.table.router.admit_together(of.from, sends(4, "/queue/" + std::string(queue)), false);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().text == "the queue '" + std::string(queue) +
                                     "' may have 3 messages at most (messages_max), and 4 come "
                                     "together");
  }
  CHECK(of.table.router.queue_figures("not there yet") == std::nullopt);
}

TEST_CASE("what a transaction sends is counted in bytes, too") {
  RoutingOptions options;
  options.queue_policy.bytes_max = 1000;
  RouterTable table(options);
  Recorder producer;
  const auto from = table.join(producer);
  const auto ask = [&table, from](std::size_t count, std::size_t bytes) {
    return table.router.admit_together(from, sends(count, "/queue/q", std::string(bytes, 'x')),
                                       false);
  };
  CHECK(ask(2, 400));
  CHECK(ask(1, 2000));  // as a SEND by itself: one message always fits into an empty queue
  const auto never = ask(2, 500);
  REQUIRE_FALSE(never);
  CHECK(never.error().text ==
        "the queue 'q' may have 1000 bytes at most (bytes_max), and 1128 come together");
  REQUIRE(table.send(from, "/queue/q", std::string(500, 'x')));
  CHECK(*ask(2, 100) == Admission::kAccept);
  CHECK(*ask(2, 200) == Admission::kWait);
}

TEST_CASE("what a transaction acknowledges is room in its queue") {
  Bounded of(3, one_at_a_time());
  Recorder other;
  of.table.subscribe(of.table.join(other), "/queue/q", AckMode::kIndividual, one_at_a_time());
  const routing::Delivery held = of.consumer.deliveries.at(0);
  CHECK(of.ask(of.at, {send("/queue/q", "a"), ack(held)}) == Admission::kAccept);
  CHECK(of.ask(of.at, {ack(held), ack(held), send("/queue/q", "a"), send("/queue/q", "b")}) ==
        Admission::kWait);
  REQUIRE(of.table.router.commit(of.at, {ack(held), send("/queue/q", "a")}, 1000, {}));
  of.table.settle();
  CHECK(of.table.journal.stored_count("q") == 3);
}

TEST_CASE("an ACK of all up to one is room for each of them") {
  Bounded of(3);
  const routing::Delivery last = of.consumer.deliveries.at(2);
  Recorder other;
  of.table.subscribe(of.table.join(other), "/queue/q", AckMode::kIndividual);
  std::vector<routing::Transacted> actions = sends(3, "/queue/q");
  actions.push_back(ack(last, Reach::kUpTo));
  CHECK(of.ask(of.at, actions) == Admission::kAccept);
}

TEST_CASE("who keeps messages of a queue beyond his transaction's ACKs is let in") {
  Bounded of(3);
  const routing::Delivery first = of.consumer.deliveries.at(0);
  CHECK(of.ask(of.at, {ack(first), send("/queue/q", "a"), send("/queue/q", "b")}) ==
        Admission::kAccept);
}

TEST_CASE("a transaction does not wait for room that only those who wait could make") {
  Bounded of(3, one_at_a_time());
  Recorder other;
  const auto neighbour = of.table.join(other);
  of.table.subscribe(neighbour, "/queue/q", AckMode::kIndividual, one_at_a_time());
  const auto doubling = [](const Recorder& worker) {
    return std::vector<routing::Transacted>{ack(worker.deliveries.at(0)), send("/queue/q", "a"),
                                            send("/queue/q", "b")};
  };
  CHECK(of.ask(of.at, doubling(of.consumer)) == Admission::kWait);
  CHECK(of.ask(neighbour, doubling(other)) == Admission::kAccept);
  CHECK(of.consumer.rooms == 0);
  of.table.router.detach(neighbour);
  CHECK(of.consumer.rooms == 1);
  CHECK(of.ask(of.at, doubling(of.consumer)) == Admission::kAccept);
}

TEST_CASE("a queue that drops its oldest takes transactions of any size") {
  RoutingOptions options = messages_max(3);
  options.queue_policy.when_full = routing::WhenFull::kDropOldest;
  RouterTable table(options);
  Recorder producer;
  const auto from = table.join(producer);
  const auto answer = table.router.admit_together(from, sends(5, "/queue/q"), false);
  REQUIRE(answer);
  CHECK(*answer == Admission::kAccept);
  REQUIRE(table.router.commit(from, sends(5, "/queue/q"), 1000, {}));
  table.settle();
  CHECK(table.journal.stored_count("q") == 3);
}

TEST_CASE("what a transaction sends to a topic asks for room in the durable subscriptions") {
  RouterTable table(messages_max(2));
  Recorder producer, reader;
  const auto from = table.join(producer);
  routing::SubscribeRequest request;
  request.peer = table.join(reader);
  request.durable_name = "d";
  request.selector = *routing::Selector::parse("colour = 'red'");
  REQUIRE(table.subscribe_as(request, "/topic/t"));
  const auto red = [](std::size_t count) {
    std::vector<routing::Transacted> actions = sends(5, "/topic/t");
    for (std::size_t i = 0; i < count; ++i)
      std::get<routing::TransactedSend>(actions[i]).draft.header_block = "colour:red\n";
    return actions;
  };
  const auto two = table.router.admit_together(from, red(2), false);
  REQUIRE(two);
  CHECK(*two == Admission::kAccept);
  const auto three = table.router.admit_together(from, red(3), false);
  REQUIRE_FALSE(three);
  CHECK(three.error().text.find("'/dsub/d'") != std::string::npos);
}

TEST_CASE("scheduled messages of a transaction are not in their queue yet") {
  RouterTable table(messages_max(2));
  Recorder producer;
  const auto from = table.join(producer);
  std::vector<routing::Transacted> actions = sends(5, "/queue/q");
  for (routing::Transacted& action : actions)
    std::get<routing::TransactedSend>(action).draft.schedule = {.delay = 1h};
  const auto answer = table.router.admit_together(from, actions, false);
  REQUIRE(answer);
  CHECK(*answer == Admission::kAccept);
}

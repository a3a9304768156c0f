#include "broker/routing/router.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/routing/recorder.h"

using namespace stompbox;
using routing::AckMode;
using routing::Admission;
using routing::Reach;
using routing::Seen;
using testing::Recorder;
using testing::RouterTable;
using Bodies = std::vector<std::string>;
using Numbers = std::vector<std::uint64_t>;

TEST_CASE("a queue gives its messages in order of arrival") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  for (const char* body : {"a", "b", "c"})
    REQUIRE(table.send(from, "/queue/q", body));
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  CHECK(consumer.bodies() == Bodies{"a", "b", "c"});
  CHECK_FALSE(consumer.deliveries[0].redelivered);
}

TEST_CASE("consumers with credit take turns") {
  RouterTable table;
  Recorder producer, one, two;
  table.subscribe(table.join(one), "/queue/q", AckMode::kIndividual);
  table.subscribe(table.join(two), "/queue/q", AckMode::kIndividual);
  const auto from = table.join(producer);
  for (const char* body : {"a", "b", "c", "d"})
    REQUIRE(table.send(from, "/queue/q", body));
  CHECK(one.bodies() == Bodies{"a", "c"});
  CHECK(two.bodies() == Bodies{"b", "d"});
}

TEST_CASE("no more is outstanding than the credit, and an ACK makes room for the next") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  for (const char* body : {"a", "b", "c"})
    REQUIRE(table.send(from, "/queue/q", body));
  const auto subscription =
      table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual, {2, 1 << 20});
  CHECK(consumer.bodies() == Bodies{"a", "b"});
  REQUIRE(table.router.acknowledge(subscription, consumer.deliveries[1].id, Reach::kOne, {}));
  CHECK(consumer.bodies() == Bodies{"c"});
}

TEST_CASE("credit in bytes lets one message pass, however large") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual, {10, 100});
  REQUIRE(table.send(from, "/queue/q", std::string(5000, 'x')));
  REQUIRE(table.send(from, "/queue/q", "b"));
  CHECK(consumer.deliveries.size() == 1);
}

TEST_CASE("a message that comes back goes to its own place, marked and counted") {
  RouterTable table;
  Recorder producer, gone, other;
  const auto from = table.join(producer);
  for (const char* body : {"a", "b", "c", "d"})
    REQUIRE(table.send(from, "/queue/q", body));
  const auto peer = table.join(gone);
  table.subscribe(peer, "/queue/q", AckMode::kClient, {2, 1 << 20});
  table.router.detach(peer);
  table.subscribe(table.join(other), "/queue/q", AckMode::kClient);
  CHECK(other.bodies() == Bodies{"a", "b", "c", "d"});
  CHECK(other.deliveries[0].redelivered);
  CHECK(other.deliveries[1].earlier_deliveries == 1);
  CHECK_FALSE(other.deliveries[2].redelivered);
}

TEST_CASE("counts of deliveries are written when a message returns") {
  RouterTable table;
  Recorder producer, consumer;
  REQUIRE(table.send(table.join(producer), "/queue/q", "a"));
  const auto subscription =
      table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual, {1, 1 << 20});
  REQUIRE(table.router.give_back(subscription, consumer.deliveries[0].id, Reach::kOne, Seen::kMaybe,
                                 {}));
  table.settle();
  CHECK(table.journal.stored("q")[0].deliveries == 1);
  CHECK(consumer.deliveries.size() == 2);
  CHECK(consumer.deliveries[1].redelivered);
}

TEST_CASE("the receipt of a NACK waits until the count is on the disk") {
  RouterTable table;
  Recorder producer, consumer;
  REQUIRE(table.send(table.join(producer), "/queue/q", "a"));
  table.commit();
  const auto subscription =
      table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual, {1, 1 << 20});
  REQUIRE(table.router.give_back(subscription, consumer.deliveries[0].id, Reach::kOne, Seen::kMaybe,
                                 routing::ReceiptNumber{4}));
  CHECK(consumer.receipts.empty());
  CHECK(table.journal.group_count() == 1);
  table.commit();
  CHECK(consumer.receipts == Numbers{4});
}

TEST_CASE("what was never seen comes back without a mark") {
  RouterTable table;
  Recorder producer, consumer;
  REQUIRE(table.send(table.join(producer), "/queue/q", "a"));
  const auto subscription =
      table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual, {1, 1 << 20});
  REQUIRE(table.router.give_back(subscription, consumer.deliveries[0].id, Reach::kOne, Seen::kNever,
                                 {}));
  CHECK_FALSE(consumer.deliveries.back().redelivered);
}

TEST_CASE("the receipt of a durable SEND waits for the disk") {
  RouterTable table;
  Recorder producer;
  REQUIRE(table.send(table.join(producer), "/queue/q", "a", 7));
  CHECK(producer.receipts.empty());
  table.commit();
  CHECK(producer.receipts == Numbers{7});
}

TEST_CASE("an explicit ACK before the commit withdraws the append and the receipt is due") {
  RouterTable table;
  Recorder producer, consumer;
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  REQUIRE(table.send(table.join(producer), "/queue/q", "a", 7));
  REQUIRE(table.router.acknowledge(subscription, consumer.deliveries[0].id, Reach::kOne,
                                   routing::ReceiptNumber{3}));
  CHECK(producer.receipts == Numbers{7});
  CHECK(consumer.receipts == Numbers{3});
  table.settle();
  CHECK(table.journal.append_count() == 0);
  CHECK(producer.receipts == Numbers{7});  // once
}

TEST_CASE("auto never withdraws: the append is written and erased") {
  RouterTable table;
  Recorder producer, consumer;
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kAuto);
  REQUIRE(table.send(table.join(producer), "/queue/q", "a", 7));
  REQUIRE(table.router.acknowledge(subscription, consumer.deliveries[0].id, Reach::kOne, {}));
  CHECK(producer.receipts.empty());
  table.settle();
  CHECK(producer.receipts == Numbers{7});
  CHECK(table.journal.append_count() == 1);
  CHECK(table.journal.stored_count("q") == 0);
}

TEST_CASE("the receipt of an ACK waits until the erase is committed") {
  RouterTable table;
  Recorder producer, consumer;
  REQUIRE(table.send(table.join(producer), "/queue/q", "a"));
  table.commit();
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  REQUIRE(table.router.acknowledge(subscription, consumer.deliveries[0].id, Reach::kOne,
                                   routing::ReceiptNumber{3}));
  CHECK(consumer.receipts.empty());
  table.commit();
  CHECK(consumer.receipts == Numbers{3});
  CHECK(table.journal.stored_count("q") == 0);
}

TEST_CASE("a cumulative ACK covers all earlier deliveries of its own subscription") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  const auto peer = table.join(consumer);
  const auto one = table.subscribe(peer, "/queue/q", AckMode::kClient);
  const auto two = table.subscribe(peer, "/queue/other", AckMode::kClient);
  REQUIRE(table.send(from, "/queue/q", "a"));
  REQUIRE(table.send(from, "/queue/other", "x"));
  REQUIRE(table.send(from, "/queue/q", "b"));
  REQUIRE(table.router.acknowledge(one, consumer.deliveries[2].id, Reach::kUpTo, {}));
  CHECK_FALSE(table.router.acknowledge(one, consumer.deliveries[0].id, Reach::kOne, {}));
  CHECK(table.router.acknowledge(two, consumer.deliveries[1].id, Reach::kOne, {}));
}

TEST_CASE("an individual ACK leaves earlier deliveries alone") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  REQUIRE(table.send(from, "/queue/q", "a"));
  REQUIRE(table.send(from, "/queue/q", "b"));
  REQUIRE(table.router.acknowledge(subscription, consumer.deliveries[1].id, Reach::kOne, {}));
  CHECK(table.router.acknowledge(subscription, consumer.deliveries[0].id, Reach::kOne, {}));
}

TEST_CASE("after UNSUBSCRIBE nothing more comes and what is in flight stays ackable") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  REQUIRE(table.send(from, "/queue/q", "a"));
  table.router.unsubscribe(subscription);
  REQUIRE(table.send(from, "/queue/q", "b"));
  CHECK(consumer.bodies() == Bodies{"a"});
  CHECK(table.router.acknowledge(subscription, consumer.deliveries[0].id, Reach::kOne, {}));
  table.settle();
  CHECK(table.journal.stored_count("q") == 1);
}

TEST_CASE("everything that is found at a start is delivered in order and says redelivered") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  for (const char* body : {"a", "b", "c"})
    REQUIRE(table.send(from, "/queue/q", body));
  table.settle();
  table.journal.crash();
  routing::Router router(table.journal, {}, table.journal.state());
  routing::SubscribeRequest request;
  request.peer = router.attach(consumer);
  request.destinations = {{routing::DestinationKind::kQueue, "q"}};
  request.ack_mode = AckMode::kIndividual;
  router.start_delivery(*router.subscribe(request));
  for (queue::LoadedPage& page : table.journal.take_pages())
    router.on_loaded(std::move(page));
  CHECK(consumer.bodies() == Bodies{"a", "b", "c"});
  CHECK(consumer.deliveries[2].redelivered);
}

TEST_CASE("beyond the bound on all subscriptions together each may have one message") {
  routing::RoutingOptions options;
  options.in_flight_total_bytes_max = 100;
  RouterTable table(options);
  Recorder producer, greedy, modest;
  const auto from = table.join(producer);
  const auto one = table.subscribe(table.join(greedy), "/queue/q", AckMode::kIndividual);
  for (const char* body : {"a", "b", "c", "d"})
    REQUIRE(table.send(from, "/queue/q", body));
  CHECK(greedy.deliveries.size() == 2);
  table.subscribe(table.join(modest), "/queue/q", AckMode::kIndividual);
  CHECK(modest.deliveries.size() == 1);
  REQUIRE(table.router.acknowledge(one, greedy.deliveries[0].id, Reach::kOne, {}));
  REQUIRE(table.router.acknowledge(one, greedy.deliveries[1].id, Reach::kOne, {}));
  CHECK(greedy.deliveries.size() == 3);
}

TEST_CASE("a name that was only subscribed to is forgotten with its last consumer") {
  RouterTable table;
  Recorder consumer;
  const auto peer = table.join(consumer);
  table.subscribe(peer, "/queue/nobody-sends", AckMode::kAuto);
  CHECK(table.router.queue_figures().size() == 1);
  table.router.detach(peer);
  CHECK(table.router.queue_figures().empty());
}

TEST_CASE("a dead letter that the disk has no room for stays where it is") {
  RouterTable table;
  Recorder producer, consumer;
  REQUIRE(table.send(table.join(producer), "/queue/q", "a"));
  table.commit();
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  table.journal.set_disk(testing::FakeJournal::Disk::kFull);
  table.commit();
  CHECK_FALSE(table.router.dead_letter(subscription, consumer.deliveries[0].id, {"x", "y"}, 0));
  CHECK(table.router.queue_figures()[0].in_flight == 1);
}

TEST_CASE("a volatile message is not written while memory has room") {
  RouterTable table;
  Recorder producer;
  REQUIRE(table.send(table.join(producer), "/queue/q", "a", 7, queue::Persistence::kVolatile));
  CHECK(producer.receipts == Numbers{7});
  CHECK_FALSE(table.journal.has_work());
}

TEST_CASE("on a full disk who asks for a receipt is refused and who does not has to wait") {
  RouterTable table;
  Recorder producer;
  const auto from = table.join(producer);
  table.journal.set_disk(testing::FakeJournal::Disk::kFull);
  REQUIRE(table.send(from, "/queue/q", "a", 7));
  table.commit();
  REQUIRE(producer.refusals.size() == 1);
  CHECK(producer.refusals[0].first == 7);
  CHECK(table.router.queue_figures()[0].waiting == 0);
  routing::Draft draft;
  draft.destination = "/queue/q";
  CHECK(table.router.admit(from, draft, true) == Admission::kRefuse);
  CHECK(table.router.admit(from, draft, false) == Admission::kWait);
  draft.destination = "/topic/t";
  CHECK(table.router.admit(from, draft, true) == Admission::kAccept);
  table.journal.set_disk(testing::FakeJournal::Disk::kRoom);
  table.commit();
  CHECK(producer.rooms == 1);
  CHECK(producer.receipts.empty());
  draft.destination = "/queue/q";
  CHECK(table.router.admit(from, draft, true) == Admission::kAccept);
}

TEST_CASE("a refused message that is in flight is the consumer's and never touches the store") {
  RouterTable table;
  Recorder producer, consumer;
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  table.journal.set_disk(testing::FakeJournal::Disk::kFull);
  REQUIRE(table.send(table.join(producer), "/queue/q", "a", 7));
  table.commit();
  CHECK(producer.refusals.size() == 1);
  REQUIRE(table.router.acknowledge(subscription, consumer.deliveries[0].id, Reach::kOne,
                                   routing::ReceiptNumber{1}));
  CHECK(consumer.receipts == Numbers{1});
  CHECK(producer.receipts.empty());
}

TEST_CASE("too much before the committer makes every durable sender wait") {
  RouterTable table;
  Recorder producer;
  const auto from = table.join(producer);
  table.journal.set_extra_pending_bytes(1ULL << 40);
  routing::Draft draft;
  draft.destination = "/queue/q";
  CHECK(table.router.admit(from, draft, true) == Admission::kWait);
  table.journal.set_extra_pending_bytes(0);
  REQUIRE(table.send(from, "/queue/q", "a"));
  table.commit();
  CHECK(producer.rooms == 1);
}

TEST_CASE("a dead letter has its reason, its old headers and bytes, and moves in one batch") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  routing::Draft draft;
  draft.destination = "/queue/catalog";
  draft.header_block = "colour:green\n";
  draft.body = std::string("\x00\xff{", 3);
  REQUIRE(table.router.publish(from, std::move(draft), 1000, std::nullopt));
  table.commit();
  const auto subscription =
      table.subscribe(table.join(consumer), "/queue/catalog", AckMode::kIndividual);
  REQUIRE(table.router.dead_letter(subscription, consumer.deliveries[0].id,
                                   {"unreadable", "no: \"name\""}, 2000));
  CHECK(table.journal.stored_count("catalog") == 1);
  table.commit();
  CHECK(table.journal.stored_count("catalog") == 0);
  REQUIRE(table.journal.stored_count("dead-letter") == 1);
  const auto letter = table.journal.stored("dead-letter")[0].message;
  CHECK(letter->body == std::string("\x00\xff{", 3));
  CHECK(letter->header_block.starts_with("dead-letter-reason:unreadable\n"));
  CHECK(letter->header_block.find("dead-letter-detail:no\\c \"name\"\n") != std::string::npos);
  CHECK(letter->header_block.find("original-destination:/queue/catalog\n") != std::string::npos);
  CHECK(letter->header_block.ends_with("colour:green\n"));
  CHECK_FALSE(letter->block_is_plain);
}

TEST_CASE("moving a message whose append is pending does not make its sender's receipt due early") {
  RouterTable table;
  Recorder producer, consumer;
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  REQUIRE(table.send(table.join(producer), "/queue/q", "a", 7));
  REQUIRE(table.router.dead_letter(subscription, consumer.deliveries[0].id, {"rejected", ""}, 0));
  CHECK(producer.receipts.empty());
  table.settle();
  CHECK(producer.receipts == Numbers{7});
  CHECK(table.journal.stored_count("dead-letter") == 1);
}

TEST_CASE("each subscription of a topic gets its own copy, and nothing is stored") {
  RouterTable table;
  Recorder producer, one, two;
  table.subscribe(table.join(one), "/topic/t", AckMode::kAuto);
  const auto peer = table.join(two);
  table.subscribe(peer, "/topic/t", AckMode::kAuto);
  table.subscribe(peer, "/topic/t", AckMode::kAuto);
  REQUIRE(table.send(table.join(producer), "/topic/t", "a", 7));
  CHECK(one.bodies() == Bodies{"a"});
  CHECK(two.bodies() == Bodies{"a", "a"});
  CHECK(producer.receipts == Numbers{7});
  CHECK_FALSE(table.journal.has_work());
}

TEST_CASE("a topic keeps what there is no credit for, up to its bound, and then says too slow") {
  routing::RoutingOptions options;
  options.topic_policy.backlog_count_max = 2;
  RouterTable table(options);
  Recorder producer, slow;
  const auto subscription =
      table.subscribe(table.join(slow), "/topic/t", AckMode::kClient, {1, 1 << 20}, 5);
  const auto from = table.join(producer);
  for (const char* body : {"a", "b", "c"})
    REQUIRE(table.send(from, "/topic/t", body));
  CHECK(slow.slow_tags.empty());
  REQUIRE(table.router.acknowledge(subscription, slow.deliveries[0].id, Reach::kUpTo, {}));
  CHECK(slow.bodies() == Bodies{"a", "b"});
  for (const char* body : {"d", "e"})
    REQUIRE(table.send(from, "/topic/t", body));
  CHECK(slow.slow_tags == std::vector<std::uint32_t>{5});
}

TEST_CASE(
    "looking at a queue takes nothing and sees what is in flight, in memory and in the store") {
  routing::RoutingOptions options;
  options.resident_count_max = 2;
  RouterTable table(options);
  Recorder producer, consumer;
  const auto from = table.join(producer);
  for (const char* body : {"a", "b", "c", "d"})
    REQUIRE(table.send(from, "/queue/q", body));
  table.commit();
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual, {1, 1 << 20});
  Bodies seen;
  table.router.browse("q", {}, 10, [&seen](const routing::BrowsePage& page) {
    for (const auto& message : page.messages)
      seen.push_back(message.message->body);
  });
  table.load();
  CHECK(seen == Bodies{"a", "b", "c", "d"});
  CHECK(consumer.bodies() == Bodies{"a"});
}

TEST_CASE("a receipt does not reach a peer that has gone") {
  RouterTable table;
  Recorder producer;
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/queue/q", "a", 7));
  table.router.detach(from);
  table.settle();
  CHECK(producer.receipts.empty());
  CHECK(table.journal.stored_count("q") == 1);
}

TEST_CASE("there are no more queues than the option allows") {
  routing::RoutingOptions options;
  options.queue_count_max = 1;
  RouterTable table(options);
  Recorder producer;
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/queue/one", "a"));
  const auto status = table.send(from, "/queue/two", "b");
  REQUIRE_FALSE(status);
  CHECK(status.error().text.find("routing.queues_max") != std::string::npos);
}

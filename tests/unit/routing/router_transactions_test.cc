#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "broker/routing/router.h"
#include "tests/unit/routing/recorder.h"

using namespace stompbox;
using routing::AckMode;
using routing::Outcome;
using routing::Reach;
using routing::ReceiptNumber;
using routing::Transacted;
using routing::TransactedSend;
using routing::TransactedVerdict;
using testing::FakeJournal;
using testing::Recorder;
using testing::RouterTable;
using Bodies = std::vector<std::string>;
using Numbers = std::vector<std::uint64_t>;

namespace {

Transacted send(std::string destination, std::string body, std::uint64_t receipt = 0,
                queue::Persistence persistence = queue::Persistence::kDurable) {
  TransactedSend made;
  made.draft.destination = std::move(destination);
  made.draft.body = std::move(body);
  made.draft.persistence = persistence;
  if (receipt != 0) made.receipt = ReceiptNumber{receipt};
  return made;
}

Transacted verdict(const routing::Delivery& delivery, Outcome outcome = Outcome::kAcknowledge,
                   Reach reach = Reach::kOne) {
  return TransactedVerdict{delivery.subscription, delivery.id, reach, outcome, {}};
}

}  // namespace

TEST_CASE("nobody sees a part of a transaction before it is synced") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  table.subscribe(table.join(consumer), "/queue/a", AckMode::kIndividual);
  table.subscribe(table.join(consumer), "/queue/b", AckMode::kIndividual);
  REQUIRE(table.router.commit(from, {send("/queue/a", "1"), send("/queue/b", "2", 7)}, 1000,
                              ReceiptNumber{9}));
  CHECK(consumer.deliveries.empty());
  CHECK(producer.receipts.empty());
  CHECK(table.journal.group_count() == 1);
  table.commit();
  CHECK(consumer.bodies() == Bodies{"1", "2"});
  CHECK(producer.receipts == Numbers{7, 9});
  CHECK_FALSE(consumer.deliveries[0].redelivered);
}

TEST_CASE("a crash before the sync leaves nothing of a transaction") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/queue/old", "in"));
  table.settle();
  table.subscribe(table.join(consumer), "/queue/old", AckMode::kIndividual);
  REQUIRE(table.router.commit(
      from, {send("/queue/a", "1"), verdict(consumer.deliveries[0]), send("/queue/b", "2")}, 1000,
      {}));
  table.journal.crash();
  CHECK(table.journal.stored_count("a") == 0);
  CHECK(table.journal.stored_count("b") == 0);
  CHECK(table.journal.stored_count("old") == 1);
}

TEST_CASE("sends and ACKs of a transaction are one group") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/queue/old", "in"));
  table.settle();
  table.subscribe(table.join(consumer), "/queue/old", AckMode::kIndividual);
  REQUIRE(table.router.commit(from, {send("/queue/a", "1"), verdict(consumer.deliveries[0])}, 1000,
                              {}));
  table.commit();
  CHECK(table.journal.stored_count("a") == 1);
  CHECK(table.journal.stored_count("old") == 0);
  CHECK_FALSE(table.router.acknowledge(consumer.deliveries[0].subscription,
                                       consumer.deliveries[0].id, Reach::kOne, {}));
}

TEST_CASE("an ACK in a transaction never withdraws a write") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  REQUIRE(table.send(from, "/queue/q", "in", 3));
  REQUIRE(table.router.commit(from, {verdict(consumer.deliveries[0])}, 1000, ReceiptNumber{4}));
  CHECK(producer.receipts.empty());
  table.commit();
  CHECK(producer.receipts == Numbers{3, 4});
  CHECK(table.journal.append_count() == 1);
  CHECK(table.journal.stored_count("q") == 0);
}

TEST_CASE("what a peer sends after a transaction does not overtake it") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  table.subscribe(table.join(consumer), "/topic/t", AckMode::kAuto);
  REQUIRE(table.router.commit(from, {send("/queue/q", "1"), send("/topic/t", "t1")}, 1000, {}));
  REQUIRE(table.send(from, "/queue/q", "2"));
  REQUIRE(table.send(from, "/topic/t", "t2"));
  CHECK(consumer.deliveries.empty());
  table.commit();
  const Bodies all = consumer.bodies();
  CHECK(all == Bodies{"t1", "t2", "1", "2"});
}

TEST_CASE("an error in a transaction changes nothing") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/queue/old", "in"));
  table.settle();
  table.subscribe(table.join(consumer), "/queue/old", AckMode::kIndividual);
  const routing::Delivery held = consumer.deliveries[0];
  CHECK_FALSE(table.router.commit(
      from, {send("/queue/a", "1"), verdict(held), send("nowhere", "2")}, 1000, ReceiptNumber{5}));
  CHECK_FALSE(
      table.router.commit(from, {send("/queue/a", "1"), verdict(held), verdict(held)}, 1000, {}));
  table.settle();
  CHECK(table.router.queue_figures().size() == 1);
  CHECK(producer.receipts.empty());
  CHECK(table.router.acknowledge(held.subscription, held.id, Reach::kOne, {}));
}

TEST_CASE("cumulative ACKs of a transaction may follow each other, not go back") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  for (const char* body : {"a", "b", "c"})
    REQUIRE(table.send(from, "/queue/q", body));
  table.settle();
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kClient);
  const auto ack = [&consumer](std::size_t i) {
    return verdict(consumer.deliveries[i], Outcome::kAcknowledge, Reach::kUpTo);
  };
  CHECK_FALSE(table.router.commit(from, {ack(1), ack(0)}, 1000, {}));
  CHECK(table.router.commit(from, {ack(0), ack(2)}, 1000, {}));
  table.settle();
  CHECK(table.journal.stored_count("q") == 0);
}

TEST_CASE("a transaction that needs no disk happens at once") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  table.subscribe(table.join(consumer), "/topic/t", AckMode::kAuto);
  REQUIRE(table.router.commit(
      from, {send("/queue/q", "1", 2, queue::Persistence::kVolatile), send("/topic/t", "2", 3)},
      1000, ReceiptNumber{4}));
  CHECK(consumer.bodies() == Bodies{"1", "2"});
  CHECK(producer.receipts == Numbers{2, 3, 4});
}

TEST_CASE("a message without persistence waits for the sync of its transaction, too") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  REQUIRE(table.router.commit(
      from, {send("/queue/q", "v", 0, queue::Persistence::kVolatile), send("/queue/q", "d")}, 1000,
      {}));
  CHECK(consumer.deliveries.empty());
  table.commit();
  CHECK(consumer.bodies() == Bodies{"v", "d"});
}

TEST_CASE("a NACK in a transaction counts when it is committed") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/queue/q", "a"));
  table.settle();
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual, {1, 1 << 20});
  REQUIRE(table.router.commit(from, {verdict(consumer.deliveries[0], Outcome::kReturn)}, 1000,
                              ReceiptNumber{2}));
  CHECK(producer.receipts.empty());
  table.commit();
  CHECK(producer.receipts == Numbers{2});
  CHECK(table.journal.stored("q")[0].deliveries == 1);
  CHECK(consumer.deliveries.back().redelivered);
}

TEST_CASE("a NACK without requeue in a transaction makes a dead letter in the same group") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/queue/q", "a"));
  table.settle();
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  REQUIRE(table.router.commit(from, {verdict(consumer.deliveries[0], Outcome::kReject)}, 1000, {}));
  table.commit();
  CHECK(table.journal.stored_count("q") == 0);
  CHECK(table.journal.stored_count("dead-letter") == 1);
}

TEST_CASE("on a full disk a transaction with a receipt is refused and one without waits") {
  RouterTable table;
  Recorder producer;
  const auto from = table.join(producer);
  table.journal.set_disk(FakeJournal::Disk::kFull);
  table.commit();
  CHECK(table.router.commit(from, {send("/queue/q", "a")}, 1000, ReceiptNumber{1}).error().code ==
        storage::ErrorCode::kFull);
  REQUIRE(table.router.commit(from, {send("/queue/q", "b")}, 1000, {}));
  table.commit();
  CHECK(table.journal.stored_count("q") == 0);
  table.journal.set_disk(FakeJournal::Disk::kRoom);
  table.commit();
  CHECK(table.journal.stored_count("q") == 1);
}

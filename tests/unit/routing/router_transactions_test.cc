#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

// A producer and a consumer at a router.
struct Pair {
  RouterTable table;
  Recorder producer, consumer;
  routing::PeerId from = table.join(producer);

  routing::SubscriptionId subscribe(std::string_view destination,
                                    AckMode mode = AckMode::kIndividual,
                                    routing::Credit credit = {}) {
    return table.subscribe(table.join(consumer), destination, mode, credit);
  }
  // These are on the disk, and then at the consumer.
  void deliver(const std::string& destination, const Bodies& bodies,
               AckMode mode = AckMode::kIndividual, routing::Credit credit = {}) {
    for (const std::string& body : bodies)
      REQUIRE(table.send(from, destination, body));
    table.settle();
    subscribe(destination, mode, credit);
    REQUIRE(!consumer.deliveries.empty());
  }
  storage::Status commit(std::vector<Transacted> actions, std::uint64_t receipt = 0) {
    std::optional<ReceiptNumber> number;
    if (receipt != 0) number = ReceiptNumber{receipt};
    return table.router.commit(from, std::move(actions), 1000, number);
  }
};

}  // namespace

TEST_CASE("nobody sees a part of a transaction before it is synced") {
  Pair pair;
  pair.subscribe("/queue/a");
  pair.subscribe("/queue/b");
  REQUIRE(pair.commit({send("/queue/a", "1"), send("/queue/b", "2", 7)}, 9));
  CHECK(pair.consumer.deliveries.empty());
  CHECK(pair.producer.receipts.empty());
  CHECK(pair.table.journal.group_count() == 1);
  pair.table.commit();
  CHECK(pair.consumer.bodies() == Bodies{"1", "2"});
  CHECK(pair.producer.receipts == Numbers{7, 9});
  CHECK_FALSE(pair.consumer.deliveries[0].redelivered);
}

TEST_CASE("a crash before the sync leaves nothing of a transaction") {
  Pair pair;
  pair.deliver("/queue/old", {"in"});
  REQUIRE(pair.commit(
      {send("/queue/a", "1"), verdict(pair.consumer.deliveries[0]), send("/queue/b", "2")}));
  pair.table.journal.crash();
  CHECK(pair.table.journal.stored_count("a") == 0);
  CHECK(pair.table.journal.stored_count("b") == 0);
  CHECK(pair.table.journal.stored_count("old") == 1);
}

TEST_CASE("sends and ACKs of a transaction are one group") {
  Pair pair;
  pair.deliver("/queue/old", {"in"});
  const routing::Delivery held = pair.consumer.deliveries[0];
  REQUIRE(pair.commit({send("/queue/a", "1"), verdict(held)}));
  pair.table.commit();
  CHECK(pair.table.journal.stored_count("a") == 1);
  CHECK(pair.table.journal.stored_count("old") == 0);
  CHECK_FALSE(pair.table.router.acknowledge(held.subscription, held.id, Reach::kOne, {}));
}

TEST_CASE("an ACK in a transaction never withdraws a write") {
  Pair pair;
  pair.subscribe("/queue/q");
  REQUIRE(pair.table.send(pair.from, "/queue/q", "in", 3));
  REQUIRE(pair.commit({verdict(pair.consumer.deliveries[0])}, 4));
  CHECK(pair.producer.receipts.empty());
  pair.table.commit();
  CHECK(pair.producer.receipts == Numbers{3, 4});
  CHECK(pair.table.journal.append_count() == 1);
  CHECK(pair.table.journal.stored_count("q") == 0);
}

TEST_CASE("what a peer sends after a transaction does not overtake it") {
  Pair pair;
  pair.subscribe("/queue/q");
  pair.subscribe("/topic/t", AckMode::kAuto);
  REQUIRE(pair.commit({send("/queue/q", "1"), send("/topic/t", "t1")}));
  REQUIRE(pair.table.send(pair.from, "/queue/q", "2"));
  REQUIRE(pair.table.send(pair.from, "/topic/t", "t2"));
  CHECK(pair.consumer.deliveries.empty());
  pair.table.commit();
  CHECK(pair.consumer.bodies() == Bodies{"t1", "t2", "1", "2"});
}

TEST_CASE("an error in a transaction changes nothing") {
  Pair pair;
  pair.deliver("/queue/old", {"in"});
  const routing::Delivery held = pair.consumer.deliveries[0];
  CHECK_FALSE(pair.commit({send("/queue/a", "1"), verdict(held), send("nowhere", "2")}, 5));
  CHECK_FALSE(pair.commit({send("/queue/a", "1"), verdict(held), verdict(held)}));
  pair.table.settle();
  CHECK(pair.table.router.queue_figures().size() == 1);
  CHECK(pair.producer.receipts.empty());
  CHECK(pair.table.router.acknowledge(held.subscription, held.id, Reach::kOne, {}));
}

TEST_CASE("cumulative ACKs of a transaction may follow each other, not go back") {
  Pair pair;
  pair.deliver("/queue/q", {"a", "b", "c"}, AckMode::kClient);
  const auto ack = [&pair](std::size_t i) {
    return verdict(pair.consumer.deliveries[i], Outcome::kAcknowledge, Reach::kUpTo);
  };
  CHECK_FALSE(pair.commit({ack(1), ack(0)}));
  CHECK(pair.commit({ack(0), ack(2)}));
  pair.table.settle();
  CHECK(pair.table.journal.stored_count("q") == 0);
}

TEST_CASE("a transaction that needs no disk happens at once") {
  Pair pair;
  pair.subscribe("/queue/q");
  pair.subscribe("/topic/t", AckMode::kAuto);
  REQUIRE(pair.commit(
      {send("/queue/q", "1", 2, queue::Persistence::kVolatile), send("/topic/t", "2", 3)}, 4));
  CHECK(pair.consumer.bodies() == Bodies{"1", "2"});
  CHECK(pair.producer.receipts == Numbers{2, 3, 4});
}

TEST_CASE("a message without persistence waits for the sync of its transaction, too") {
  Pair pair;
  pair.subscribe("/queue/q");
  REQUIRE(pair.commit(
      {send("/queue/q", "v", 0, queue::Persistence::kVolatile), send("/queue/q", "d")}));
  CHECK(pair.consumer.deliveries.empty());
  pair.table.commit();
  CHECK(pair.consumer.bodies() == Bodies{"v", "d"});
}

TEST_CASE("a NACK in a transaction counts when it is committed") {
  Pair pair;
  pair.deliver("/queue/q", {"a"}, AckMode::kIndividual, {1, 1 << 20});
  REQUIRE(pair.commit({verdict(pair.consumer.deliveries[0], Outcome::kReturn)}, 2));
  CHECK(pair.producer.receipts.empty());
  pair.table.commit();
  CHECK(pair.producer.receipts == Numbers{2});
  CHECK(pair.table.journal.stored("q")[0].deliveries == 1);
  CHECK(pair.consumer.deliveries.back().redelivered);
}

TEST_CASE("a NACK without requeue in a transaction makes a dead letter in the same group") {
  Pair pair;
  pair.deliver("/queue/q", {"a"});
  REQUIRE(pair.commit({verdict(pair.consumer.deliveries[0], Outcome::kReject)}));
  pair.table.commit();
  CHECK(pair.table.journal.stored_count("q") == 0);
  CHECK(pair.table.journal.stored_count("dead-letter") == 1);
}

TEST_CASE("on a full disk a transaction with a receipt is refused and one without waits") {
  Pair pair;
  FakeJournal& journal = pair.table.journal;
  journal.set_disk(FakeJournal::Disk::kFull);
  pair.table.commit();
  CHECK(pair.commit({send("/queue/q", "a")}, 1).error().code == storage::ErrorCode::kFull);
  REQUIRE(pair.commit({send("/queue/q", "b")}));
  pair.table.commit();
  CHECK(journal.stored_count("q") == 0);
  journal.set_disk(FakeJournal::Disk::kRoom);
  pair.table.commit();
  CHECK(journal.stored_count("q") == 1);
}

#include "storage/queue/ledger.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/queue/fixtures.h"

namespace stompbox::queue::test {
namespace {

Ledger with_orders(std::uint64_t count) {
  Ledger ledger;
  ledger.create(create_orders());
  for (std::uint64_t seq = 1; seq <= count; ++seq)
    ledger.append(append(seq));
  return ledger;
}

void take_out(Ledger& ledger, std::uint64_t seq) {
  const Erase op = erase(seq);
  ledger.take_out(op.queue, op.place, op.persistence, op.bytes);
}

TEST_CASE("counts and bytes follow the operations") {
  Ledger ledger = with_orders(10);
  take_out(ledger, 3);
  const QueueState state = ledger.states().at(0);
  CHECK(state.name == kOrdersName);
  CHECK(state.message_count == 9);
  CHECK(state.message_bytes == 9 * append(1).message->bytes());
  CHECK(state.next_seq == Seq{11});
  CHECK(state.first == at(1));
}

TEST_CASE("an erase that comes twice counts once") {
  Ledger ledger = with_orders(3);
  take_out(ledger, 1);
  take_out(ledger, 1);
  CHECK(ledger.states().at(0).message_count == 2);
}

TEST_CASE("the first place is in the class that is delivered first") {
  Ledger ledger = with_orders(2);
  ledger.append({kOrders, at(3, 2), message(3, "x"), Urgency::kNow});
  ledger.append({kOrders, at(4, 9), message(4, "x"), Urgency::kNow});
  CHECK(ledger.states().at(0).first == at(3, 2));
  CHECK(ledger.states().at(0).next_seq == Seq{5});
  take_out(ledger, 1);
  ledger.take_out(kOrders, at(3, 2), Persistence::kDurable, 1);
  CHECK(ledger.states().at(0).first == at(2));
}

TEST_CASE("a ledger restored from its meta record knows the same") {
  Ledger ledger = with_orders(1000);
  for (std::uint64_t seq = 2; seq <= 900; ++seq)
    take_out(ledger, seq);
  ledger.append(append_volatile(1001));
  ledger.give_back({kOrders, at(950), 2});
  Ledger restored;
  restored.restore(kOrders, {std::string(kOrdersName), {}}, ledger.meta(kOrders));
  CHECK(restored.meta(kOrders) == ledger.meta(kOrders));
  CHECK(restored.states().at(0).message_count == 101);
  CHECK(restored.plan(kOrders, PriorityClass{0})->classes.at(0).live.skip_dead(2) == 901);
  CHECK(restored.may_have_count(kOrders, at(950)));
  CHECK(!restored.may_have_count(kOrders, at(951)));
  REQUIRE(restored.stale().size() == 1);
  CHECK(restored.stale()[0].second == 1);
}

TEST_CASE("delivery counts are forgotten when all their places are dead") {
  Ledger ledger = with_orders(10);
  ledger.give_back({kOrders, at(2), 1});
  ledger.give_back({kOrders, at(4), 1});
  CHECK(ledger.may_have_count(kOrders, at(3)));
  for (std::uint64_t seq = 1; seq <= 4; ++seq)
    take_out(ledger, seq);
  CHECK(!ledger.may_have_count(kOrders, at(3)));
  CHECK(ledger.meta(kOrders).classes.at(0).returned.length() == 0);
}

TEST_CASE("a batch names the queues that it changed, once each, until it is committed") {
  Ledger ledger = with_orders(10);
  CHECK(ledger.changed() == std::vector<QueueId>{kOrders});
  ledger.batch_committed();
  CHECK(ledger.changed().empty());
  CHECK(ledger.plan(kOrders, PriorityClass{0})->classes.at(0).committed_next == 11);
}

TEST_CASE("numbers that are not committed yet are not among the committed") {
  Ledger ledger = with_orders(10);
  ledger.batch_committed();
  ledger.append(append(11));
  CHECK(ledger.plan(kOrders, PriorityClass{0})->classes.at(0).committed_next == 11);
}

TEST_CASE("a stretch is worth compacting when enough of it was erased, and then once") {
  Ledger ledger = with_orders(1000);
  for (std::uint64_t seq = 11; seq <= 500; ++seq)
    take_out(ledger, seq);
  CHECK(!ledger.dead_due());
  CHECK(!ledger.take_dead_span({491, 1ULL << 40}));
  const auto span = ledger.take_dead_span({490, 1ULL << 40});
  REQUIRE(span);
  CHECK(span->places == DeadRange{11, 501});
  CHECK(span->erased_count == 490);
  CHECK(!ledger.take_dead_span({1, 1}));
}

TEST_CASE("a million erased messages are due for compaction") {
  Ledger ledger = with_orders(1'000'000);
  for (std::uint64_t seq = 1; seq < 1'000'000; ++seq)
    take_out(ledger, seq);
  CHECK(!ledger.dead_due());
  take_out(ledger, 1'000'000);
  CHECK(ledger.dead_due());
}

TEST_CASE("a state has each class with its messages") {
  Ledger ledger = with_orders(3);
  ledger.append({kOrders, at(4, 2), message(4, "x"), Urgency::kNow});
  take_out(ledger, 1);
  const QueueState state = ledger.states().at(0);
  REQUIRE(state.classes.size() == 2);
  CHECK(state.classes[0].priority == PriorityClass{2});
  CHECK(state.classes[0].message_count == 1);
  CHECK(state.classes[0].first == Seq{4});
  CHECK(state.classes[1].message_count == 2);
  CHECK(state.classes[1].message_bytes == 2 * append(1).message->bytes());
  CHECK(state.classes[1].first == Seq{2});
}

TEST_CASE("a dropped queue is unknown, and its changes are not in the batch any more") {
  Ledger ledger = with_orders(3);
  const auto dropped = ledger.drop(kOrders);
  REQUIRE(dropped);
  CHECK(dropped->meta.classes.at(0).next == 4);
  CHECK(!ledger.knows(kOrders));
  CHECK(ledger.changed().empty());
  CHECK(ledger.states().empty());
  CHECK(!ledger.plan(kOrders, PriorityClass{0}));
  ledger.learn_dead(kOrders, PriorityClass{5}, {1, 2});
}

TEST_CASE("a dropped queue is to be swept when its batch is in the store, and once") {
  Ledger ledger = with_orders(3);
  ledger.batch_committed();
  CHECK(ledger.drop(kOrders));
  CHECK(!ledger.has_dropped());
  ledger.batch_committed();
  CHECK(ledger.has_dropped());
  CHECK(ledger.take_dropped().size() == 1);
  CHECK(!ledger.has_dropped());
}

TEST_CASE("a queue that was emptied leaves nothing to sweep, unless damage was set aside") {
  Ledger ledger = with_orders(2);
  take_out(ledger, 1);
  SUBCASE("all erased") {
    take_out(ledger, 2);
    CHECK(!ledger.drop(kOrders));
  }
  SUBCASE("one damaged") {
    ledger.set_aside(kOrders, at(2), Persistence::kDurable, 0);
    CHECK(ledger.drop(kOrders));
  }
  SUBCASE("damaged before the start") {
    take_out(ledger, 2);
    ledger.restore_damaged(kOrders);
    CHECK(ledger.drop(kOrders));
  }
}

TEST_CASE("the highest id is remembered beyond the queue that had it") {
  Ledger ledger = with_orders(0);
  CHECK(!ledger.drop(kOrders));
  CHECK(ledger.last_queue() == kOrders);
  Ledger restored;
  restored.restore_last(QueueId{9});
  restored.restore(kOrders, {std::string(kOrdersName), {}}, {});
  CHECK(restored.last_queue() == QueueId{9});
}

TEST_CASE("what a dropped queue had erased is still worth compacting") {
  Ledger ledger = with_orders(2000);
  for (std::uint64_t seq = 1; seq <= 2000; ++seq)
    take_out(ledger, seq);
  CHECK(!ledger.drop(kOrders));
  CHECK(!ledger.take_dead_span({2001, 1ULL << 40}));
  const auto span = ledger.take_dead_span({2000, 1ULL << 40});
  REQUIRE(span);
  CHECK(span->queue == kOrders);
  CHECK(span->places == DeadRange{1, 2001});
  CHECK(!ledger.take_dead_span({1, 1}));
}

TEST_CASE("ten thousand drops make the names worth compacting") {
  Ledger ledger;
  for (std::uint32_t id = 1; id <= 10'000; ++id) {
    CHECK(!ledger.names_due());
    ledger.create({QueueId{id}, "/queue/reply", {}});
    CHECK(!ledger.drop(QueueId{id}));
  }
  CHECK(ledger.names_due());
  ledger.names_compacted();
  CHECK(!ledger.names_due());
}

TEST_CASE("a plan leaves out classes that hold nothing and classes delivered before") {
  Ledger ledger = with_orders(2);
  ledger.append({kOrders, at(3, 2), message(3, "x"), Urgency::kNow});
  ledger.append({kOrders, at(4, 9), message(4, "x"), Urgency::kNow});
  ledger.take_out(kOrders, at(4, 9), Persistence::kDurable, 1);
  CHECK(ledger.plan(kOrders, PriorityClass{0})->classes.size() == 2);
  CHECK(ledger.plan(kOrders, PriorityClass{3})->classes.size() == 1);
  CHECK(!ledger.plan(QueueId{99}, PriorityClass{0}));
}

}  // namespace
}  // namespace stompbox::queue::test

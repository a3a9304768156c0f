#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "broker/routing/death_headers.h"
#include "broker/routing/router.h"
#include "tests/unit/routing/recorder.h"

using namespace stompbox;
using routing::AckMode;
using routing::Outcome;
using routing::Reach;
using routing::RoutingOptions;
using testing::FakeJournal;
using testing::Recorder;
using testing::RouterTable;
using Bodies = std::vector<std::string>;
using Count = std::optional<storage::Result<std::uint64_t>>;

// Dead letters, moves and replays: what becomes of a message that goes from queue to queue.
namespace {

routing::Router::Done into(Count& count) {
  return [&count](storage::Result<std::uint64_t> result) { count.emplace(std::move(result)); };
}

routing::Draft draft_to(std::string destination, std::string body) {
  routing::Draft draft;
  draft.destination = std::move(destination);
  draft.body = std::move(body);
  return draft;
}

RoutingOptions letters_in(std::string name) {
  RoutingOptions options;
  options.queue_policy.dead_letter_queue = std::move(name);
  return options;
}

bool has_queue(const RouterTable& table, std::string_view name) {
  const auto all = table.router.queue_figures();
  return std::any_of(all.begin(), all.end(), [name](const auto& one) { return one.name == name; });
}

// The last delivery is refused for good.
void reject(RouterTable& table, Recorder& consumer, routing::SubscriptionId subscription) {
  REQUIRE_FALSE(consumer.deliveries.empty());
  REQUIRE(table.router.refuse_delivery(subscription, consumer.deliveries.back().id, Reach::kOne,
                                       Outcome::kReject, {}));
}

// One message is sent to `destination` and rejected there.
void let_die(RouterTable& table, std::string destination, const std::string& body) {
  Recorder producer, consumer;
  const auto subscription =
      table.subscribe(table.join(consumer), destination, AckMode::kIndividual);
  REQUIRE(table.send(table.join(producer), std::move(destination), body));
  reject(table, consumer, subscription);
  table.settle();
  table.router.unsubscribe(subscription);
}

routing::Destination queue_called(std::string name) {
  return {routing::DestinationKind::kQueue, std::move(name), false};
}

}  // namespace

TEST_CASE("a message keeps its id and its time of arrival when it is moved") {
  RouterTable table;
  Recorder producer;
  const auto from = table.join(producer);
  REQUIRE(table.publish(from, draft_to("/queue/a", "old"), 0, 1000));
  REQUIRE(table.publish(from, draft_to("/queue/b", "new"), 0, 2000));
  table.settle();
  const auto old = table.journal.stored("a").front().message;
  table.router.on_time(5000);
  Count count;
  table.router.move_messages("a", queue_called("b"), UINT64_MAX, into(count));
  table.settle();
  REQUIRE(count);
  const auto stored = table.journal.stored("b");
  REQUIRE(stored.size() == 2);
  CHECK(stored[1].message->id == old->id);
  CHECK(stored[1].message->arrived_ms == 1000);
  CHECK(stored[1].message->id < stored[0].message->id);
}

TEST_CASE("a dead letter keeps its id and its time of arrival, and says when it died") {
  RouterTable table;
  Recorder producer, consumer;
  REQUIRE(table.publish(table.join(producer), draft_to("/queue/a", "x"), 0, 1000));
  table.settle();
  const auto before = table.journal.stored("a").front().message;
  const auto subscription = table.subscribe(table.join(consumer), "/queue/a", AckMode::kIndividual);
  REQUIRE(
      table.router.dead_letter(subscription, consumer.deliveries[0].id, {"rejected", "why"}, 7000));
  table.settle();
  REQUIRE(table.journal.stored_count("dead-letter") == 1);
  const auto letter = table.journal.stored("dead-letter").front().message;
  CHECK(letter->id == before->id);
  CHECK(letter->arrived_ms == 1000);
  CHECK(letter->header_block.find("dead-letter-time:7000\n") != std::string::npos);
}

TEST_CASE("a message that goes on as a volatile one does not keep the id of an earlier life") {
  FakeJournal disk;
  {
    RouterTable first;
    Recorder producer;
    REQUIRE(first.send(first.join(producer), "/queue/a", "x"));
    first.settle();
    disk = first.journal;
  }
  disk.crash();
  RouterTable table(std::move(disk));
  Recorder owner, taker;
  const auto peer = table.join(owner, "o1");
  table.subscribe(peer, "/temp-queue/r", AckMode::kIndividual);
  const auto subscription = table.subscribe(table.join(taker), "/queue/a", AckMode::kIndividual);
  table.settle();
  REQUIRE(taker.deliveries.size() == 1);
  const auto old = taker.deliveries[0].message;
  REQUIRE(table.router.move_to(subscription, taker.deliveries[0].id,
                               draft_to("/remote-temp-queue/o1.r", "x"), 9000, std::nullopt));
  REQUIRE(owner.deliveries.size() == 1);
  CHECK(owner.deliveries[0].message->id.epoch() > old->id.epoch());
  CHECK(owner.deliveries[0].message->arrived_ms == old->arrived_ms);
}

TEST_CASE("letters of a temporary queue go to the broker's own dead-letter queue") {
  RouterTable table(letters_in("*.dead"));
  Recorder owner, producer;
  const auto peer = table.join(owner, "o1");
  const auto subscription = table.subscribe(peer, "/temp-queue/r", AckMode::kIndividual);
  REQUIRE(table.send(table.join(producer), "/remote-temp-queue/o1.r", "x"));
  reject(table, owner, subscription);
  table.router.detach(peer);
  table.settle();
  REQUIRE(table.journal.stored_count("dead-letter") == 1);
  CHECK(table.journal.stored("dead-letter").front().message->persistence ==
        queue::Persistence::kDurable);
  CHECK(table.router.queue_figures().size() == 1);
}

TEST_CASE("letters of a durable subscription go to the broker's own dead-letter queue") {
  RouterTable table(letters_in("*.dead"));
  Recorder consumer, producer;
  routing::SubscribeRequest request;
  request.peer = table.join(consumer);
  request.ack_mode = AckMode::kIndividual;
  request.durable_name = "d";
  const auto subscription = table.subscribe_as(request, "/topic/t");
  REQUIRE(subscription);
  REQUIRE(table.send(table.join(producer), "/topic/t", "x"));
  table.settle();
  reject(table, consumer, *subscription);
  table.settle();
  CHECK(table.journal.stored_count("dead-letter") == 1);
  CHECK_FALSE(has_queue(table, "/dsub/d.dead"));
}

TEST_CASE("a name that fits the pattern of dead-letter queues counts for the bound on queues") {
  RoutingOptions options = letters_in("DLQ.*");
  options.queue_count_max = 2;
  RouterTable table(options);
  Recorder producer;
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/queue/DLQ.1", "x"));
  REQUIRE(table.send(from, "/queue/DLQ.2", "x"));
  const auto third = table.send(from, "/queue/DLQ.3", "x");
  REQUIRE_FALSE(third);
  CHECK(third.error().code == storage::ErrorCode::kFull);
}

TEST_CASE("the bound on queues stops no dead letter, now or after a start") {
  RoutingOptions options = letters_in("DLQ.*");
  options.queue_count_max = 1;
  RouterTable table(options);
  let_die(table, "/queue/work", "x");
  CHECK(table.journal.stored_count("DLQ.work") == 1);
  FakeJournal disk = table.journal;
  disk.crash();
  RouterTable next(std::move(disk), options);
  REQUIRE(next.router.queue_figures().size() == 2);  // `work` and its letters
  options.queue_count_max = 2;
  disk = next.journal;
  disk.crash();
  RouterTable last(std::move(disk), options);
  Recorder producer;
  CHECK(last.send(last.join(producer), "/queue/another", "x"));
  CHECK_FALSE(last.send(last.join(producer), "/queue/third", "x"));
}

TEST_CASE(
    "a dead-letter queue of a pattern goes when it is empty and idle, the broker's own stays") {
  RoutingOptions options = letters_in("DLQ.*");
  RouterTable table(options);
  Recorder producer, consumer;
  table.router.on_time(1000);
  let_die(table, "/queue/work", "x");
  REQUIRE(table.send(table.join(producer), "/queue/dead-letter", "x"));
  const auto peer = table.join(consumer);
  for (const char* queue : {"/queue/DLQ.work", "/queue/dead-letter"}) {
    const auto subscription = table.subscribe(peer, queue, AckMode::kIndividual);
    table.settle();
    REQUIRE(table.router.acknowledge(subscription, consumer.deliveries.back().id, Reach::kOne, {}));
  }
  table.settle();
  table.router.detach(peer);
  table.router.on_time(2000 + options.queue_policy.idle_max.count());
  table.router.on_time(3000 + 2 * options.queue_policy.idle_max.count());
  CHECK_FALSE(has_queue(table, "DLQ.work"));
  CHECK(has_queue(table, "dead-letter"));
}

TEST_CASE("figures say which queues hold dead letters, by pattern too") {
  RouterTable table(letters_in("DLQ.*"));
  let_die(table, "/queue/work", "x");
  for (const auto& queue : table.router.queue_figures()) {
    CAPTURE(queue.name);
    CHECK(queue.takes_letters == (queue.name == "DLQ.work"));
  }
}

TEST_CASE("a transaction that fails late leaves nothing of the queues that it would have made") {
  RouterTable table;
  Recorder producer;
  const auto from = table.join(producer);
  std::vector<routing::Transacted> actions;
  actions.emplace_back(routing::TransactedSend{draft_to("/queue/a", "1"), {}});
  actions.emplace_back(routing::TransactedSend{draft_to("/queue/a,/queue/b,/queue/c.*", "2"), {}});
  CHECK_FALSE(table.router.commit(from, std::move(actions), 1000, std::nullopt));
  CHECK(table.router.queue_figures().empty());
}

TEST_CASE("a move waits while the journal is full, and goes on when it is not") {
  RoutingOptions options;
  options.journal_bytes_max = 2'000'000;
  RouterTable table(options);
  Recorder producer;
  const auto from = table.join(producer);
  constexpr std::size_t kBytes = 100'000;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(table.send(from, "/queue/a", std::string(kBytes, 'x')));
    table.settle();
  }
  Count count;
  table.router.move_messages("a", queue_called("b"), UINT64_MAX, into(count));
  std::uint64_t most = table.journal.pending_bytes();
  while (table.journal.has_work()) {
    table.load();
    most = std::max(most, table.journal.pending_bytes());
    table.commit();
    most = std::max(most, table.journal.pending_bytes());
  }
  REQUIRE(count);
  CHECK(**count == 100);
  CHECK(table.journal.stored_count("b") == 100);
  CHECK(table.journal.stored_count("a") == 0);
  CHECK(most <= options.journal_bytes_max + 1'300'000);  // a batch beyond it at most
}

TEST_CASE("a move onto a full disk ends with an error, and the queue's consumers go on") {
  RoutingOptions options;
  options.journal_bytes_max = 500'000;
  RouterTable table(options);
  Recorder producer, consumer;
  const auto from = table.join(producer);
  for (int i = 0; i < 30; ++i)
    REQUIRE(table.send(from, "/queue/a", std::string(100'000, 'x')));
  table.settle();
  Count count;
  table.router.move_messages("a", queue_called("b"), UINT64_MAX, into(count));
  CHECK_FALSE(count);
  table.journal.set_disk(FakeJournal::Disk::kFull);
  table.commit();
  REQUIRE(count);
  REQUIRE_FALSE(*count);
  CHECK(count->error().code == storage::ErrorCode::kFull);
  table.subscribe(table.join(consumer), "/queue/a", AckMode::kIndividual);
  table.load();
  CHECK_FALSE(consumer.deliveries.empty());
}

TEST_CASE(
    "the headers of one death are told from those of an earlier one, and from the message's") {
  const std::string death = "dead-letter-reason:a\ndead-letter-time:1\noriginal-destination:/q\n";
  const std::string own = "dead-letter-reason:b\noriginal-expires:7\nx:y\n";
  CHECK(routing::split_letter_block(death + own).death == death);
  CHECK(routing::split_letter_block(death + own).original == own);
  CHECK(routing::split_letter_block("x:y\n" + death).death.empty());
  CHECK(routing::split_letter_block("").original.empty());
  CHECK(routing::split_letter_block("dead-letter-reason:cut off").original.empty());
}

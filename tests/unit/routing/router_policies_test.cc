#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "broker/routing/router.h"
#include "tests/unit/routing/recorder.h"

using namespace stompbox;
using namespace std::chrono_literals;
using routing::AckMode;
using routing::Admission;
using routing::Draft;
using routing::Outcome;
using routing::Reach;
using routing::RoutingOptions;
using testing::Recorder;
using testing::RouterTable;
using Bodies = std::vector<std::string>;
using Numbers = std::vector<std::uint64_t>;

namespace {

Draft draft(std::string destination, std::string body, std::int64_t expires_ms = 0) {
  Draft made;
  made.destination = std::move(destination);
  made.body = std::move(body);
  made.expires_ms = expires_ms;
  return made;
}

const routing::QueueFigures* figures_of(const std::vector<routing::QueueFigures>& all,
                                        std::string_view name) {
  for (const routing::QueueFigures& one : all) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

std::uint64_t waiting(const RouterTable& table, std::string_view name) {
  const auto all = table.router.queue_figures();
  const auto* found = figures_of(all, name);
  return found == nullptr ? 0 : found->waiting;
}

}  // namespace

TEST_CASE("a full queue makes a SEND without receipt wait, and refuses one with") {
  RoutingOptions options;
  options.queue_policy.messages_max = 2;
  RouterTable table(options);
  Recorder producer, consumer;
  const auto from = table.join(producer);
  for (const char* body : {"1", "2"})
    REQUIRE(table.send(from, "/queue/q", body));
  CHECK(table.router.admit(from, draft("/queue/q", "3"), true) == Admission::kRefuse);
  CHECK(table.router.admit(from, draft("/queue/q", "3"), false) == Admission::kWait);
  CHECK(table.router.admit(from, draft("/queue/other", "3"), false) == Admission::kAccept);
  CHECK(producer.rooms == 0);
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  CHECK(producer.rooms == 0);
  REQUIRE(table.router.acknowledge(subscription, consumer.deliveries[0].id, Reach::kOne, {}));
  CHECK(producer.rooms == 1);
  CHECK(table.router.admit(from, draft("/queue/q", "3"), false) == Admission::kAccept);
}

TEST_CASE("a queue is full of bytes, too") {
  RoutingOptions options;
  options.queue_policy.bytes_max = 1000;
  RouterTable table(options);
  Recorder producer;
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/queue/q", std::string(2000, 'x')));
  CHECK(table.router.admit(from, draft("/queue/q", "3"), true) == Admission::kRefuse);
}

TEST_CASE("who holds messages of a full queue is heard: its ACKs make the room") {
  RoutingOptions options;
  options.queue_policy.messages_max = 1;
  RouterTable table(options);
  Recorder worker;
  const auto peer = table.join(worker);
  table.subscribe(peer, "/queue/q", AckMode::kIndividual);
  REQUIRE(table.send(peer, "/queue/q", "1"));
  CHECK(table.router.admit(peer, draft("/queue/q", "2"), false) == Admission::kAccept);
}

TEST_CASE("where the policy says so the oldest message makes room, and is counted") {
  RoutingOptions options;
  options.queue_policy.messages_max = 2;
  options.queue_policy.when_full = routing::WhenFull::kDropOldest;
  RouterTable table(options);
  Recorder producer, consumer;
  const auto from = table.join(producer);
  for (const char* body : {"1", "2", "3"}) {
    CHECK(table.router.admit(from, draft("/queue/q", body), true) == Admission::kAccept);
    REQUIRE(table.send(from, "/queue/q", body));
  }
  table.settle();
  CHECK(table.journal.stored_count("q") == 2);
  CHECK(figures_of(table.router.queue_figures(), "q")->dropped == 1);
  CHECK(table.router.figures().queue_dropped == 1);
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  CHECK(consumer.bodies() == Bodies{"2", "3"});
}

TEST_CASE("a message that was refused too often is a dead letter that says so") {
  RoutingOptions options;
  options.queue_policy.redeliveries_max = 2;
  RouterTable table(options);
  Recorder producer, consumer;
  REQUIRE(table.send(table.join(producer), "/queue/q", "a"));
  table.settle();
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(consumer.deliveries.size() == i + 1);
    REQUIRE(table.router.refuse_delivery(subscription, consumer.deliveries[i].id, Reach::kOne,
                                         Outcome::kReturn, {}));
  }
  CHECK(consumer.deliveries.size() == 3);
  table.settle();
  CHECK(table.journal.stored_count("q") == 0);
  REQUIRE(table.journal.stored_count("dead-letter") == 1);
  const auto letter = table.journal.stored("dead-letter")[0].message;
  CHECK(letter->header_block.starts_with("dead-letter-reason:redelivered\n"));
  CHECK(letter->body == "a");
}

TEST_CASE("a lost connection counts as a delivery") {
  RoutingOptions options;
  options.queue_policy.redeliveries_max = 1;
  RouterTable table(options);
  Recorder producer, consumer;
  REQUIRE(table.send(table.join(producer), "/queue/q", "a"));
  for (int i = 0; i < 2; ++i) {
    const auto peer = table.join(consumer);
    table.subscribe(peer, "/queue/q", AckMode::kIndividual);
    table.router.detach(peer);
  }
  table.settle();
  CHECK(table.journal.stored_count("q") == 0);
  CHECK(table.journal.stored_count("dead-letter") == 1);
}

TEST_CASE("NACK without requeue is a dead letter at once, of the queue's own pattern") {
  RoutingOptions options;
  routing::PolicyRule rule;
  rule.pattern = "jobs.*";
  rule.dead_letter_queue = "dlq.*";
  options.policies = {rule};
  RouterTable table(options);
  Recorder producer, consumer;
  REQUIRE(table.send(table.join(producer), "/queue/jobs.a", "x"));
  const auto subscription =
      table.subscribe(table.join(consumer), "/queue/jobs.a", AckMode::kIndividual);
  REQUIRE(table.router.refuse_delivery(subscription, consumer.deliveries[0].id, Reach::kOne,
                                       Outcome::kReject, routing::ReceiptNumber{6}));
  CHECK(consumer.receipts.empty());
  table.settle();
  CHECK(consumer.receipts == Numbers{6});
  CHECK(table.journal.stored_count("jobs.a") == 0);
  CHECK(table.journal.stored_count("dlq.jobs.a") == 1);
}

TEST_CASE("a dead letter that is refused stays where it is") {
  RouterTable table;
  Recorder producer, consumer;
  REQUIRE(table.send(table.join(producer), "/queue/dead-letter", "x"));
  const auto peer = table.join(consumer);
  const auto subscription =
      table.subscribe(peer, "/queue/dead-letter", AckMode::kIndividual, {1, 1 << 20});
  REQUIRE(table.router.refuse_delivery(subscription, consumer.deliveries[0].id, Reach::kOne,
                                       Outcome::kReject, {}));
  table.settle();
  CHECK(table.journal.stored_count("dead-letter") == 1);
  CHECK(consumer.deliveries.back().redelivered);
}

TEST_CASE("the oldest dead letters make room for the newest, and are counted") {
  RoutingOptions options;
  options.dead_letter_bytes_max = 1000;
  RouterTable table(options);
  Recorder producer, consumer;
  const auto from = table.join(producer);
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(table.send(from, "/queue/q", std::string(300, static_cast<char>('a' + i))));
    REQUIRE(table.router.refuse_delivery(subscription, consumer.deliveries[i].id, Reach::kOne,
                                         Outcome::kReject, {}));
  }
  table.settle();
  REQUIRE(table.journal.stored_count("dead-letter") == 1);
  CHECK(table.journal.stored("dead-letter")[0].message->body[0] == 'c');
  CHECK(table.router.figures().dead_letters_dropped == 2);
  CHECK(table.router.figures().queue_dropped == 0);
  CHECK(table.router.figures().dead_lettered == 3);
}

TEST_CASE("a dead letter that makes room counts as one, though it is not in memory") {
  RoutingOptions options;
  options.resident_count_max = 1;
  options.dead_letter_bytes_max = 1000;
  RouterTable table(options);
  Recorder producer, consumer;
  const auto from = table.join(producer);
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  for (std::size_t i = 0; i < 6; ++i) {
    REQUIRE(table.send(from, "/queue/q", std::string(150, static_cast<char>('a' + i))));
    table.settle();
    REQUIRE(consumer.deliveries.size() == i + 1);
    REQUIRE(table.router.refuse_delivery(subscription, consumer.deliveries[i].id, Reach::kOne,
                                         Outcome::kReject, {}));
    table.settle();
  }
  const std::uint64_t left = table.journal.stored_count("dead-letter");
  CHECK(left < 6);
  CHECK(table.router.figures().dead_letters_dropped == 6 - left);
  CHECK(table.router.figures().queue_dropped == 0);
}

TEST_CASE("what a queue dropped stays counted when the queue is gone, in memory or not") {
  RoutingOptions options;
  options.resident_count_max = 1;
  options.queue_policy.messages_max = 4;
  options.queue_policy.when_full = routing::WhenFull::kDropOldest;
  RouterTable table(options);
  Recorder producer;
  const auto from = table.join(producer);
  for (int i = 0; i < 9; ++i) {
    REQUIRE(table.send(from, "/queue/q", std::to_string(i)));
    table.settle();
  }
  REQUIRE(table.journal.stored_count("q") == 4);
  bool gone = false;
  table.router.remove_queue("q", [&gone](const auto& count) { gone = count.has_value(); });
  table.settle();
  REQUIRE(gone);
  CHECK(figures_of(table.router.queue_figures(), "q") == nullptr);
  CHECK(table.router.figures().queue_dropped == 5);
}

TEST_CASE("a refused message waits for the policy's delay, longer each time") {
  RoutingOptions options;
  options.queue_policy.redelivery_delay = 100ms;
  options.queue_policy.redelivery_backoff = 3.0;
  RouterTable table(options);
  Recorder producer, consumer;
  table.router.on_time(1000);
  REQUIRE(table.send(table.join(producer), "/queue/q", "a"));
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  const auto refuse = [&] {
    REQUIRE(table.router.refuse_delivery(subscription, consumer.deliveries.back().id, Reach::kOne,
                                         Outcome::kReturn, {}));
  };
  refuse();
  CHECK(consumer.deliveries.size() == 1);
  CHECK(table.router.next_event_ms() == 1100);
  table.router.on_time(1099);
  CHECK(consumer.deliveries.size() == 1);
  table.router.on_time(1100);
  REQUIRE(consumer.deliveries.size() == 2);
  refuse();
  table.router.on_time(1399);
  CHECK(consumer.deliveries.size() == 2);
  table.router.on_time(1400);
  CHECK(consumer.deliveries.size() == 3);
}

TEST_CASE("an expired message is counted and gone, a dead letter only where that is asked for") {
  RoutingOptions options;
  routing::PolicyRule rule;
  rule.pattern = "kept";
  rule.expired_to_dead_letters = true;
  options.policies = {rule};
  RouterTable table(options);
  Recorder producer;
  const auto from = table.join(producer);
  table.router.on_time(1000);
  REQUIRE(table.publish(from, draft("/queue/q", "a", 1500)));
  REQUIRE(table.publish(from, draft("/queue/kept", "b", 1500)));
  table.settle();
  CHECK(table.router.next_event_ms() == 1500);
  table.router.on_time(1500);
  table.settle();
  CHECK(table.journal.stored_count("q") == 0);
  CHECK(table.journal.stored_count("kept") == 0);
  CHECK(table.journal.stored_count("dead-letter") == 1);
  CHECK(table.router.figures().expired == 2);
}

TEST_CASE("the policy's age bounds the life of a message") {
  RoutingOptions options;
  options.queue_policy.age_max = 500ms;
  RouterTable table(options);
  Recorder producer;
  const auto from = table.join(producer);
  REQUIRE(table.publish(from, draft("/queue/q", "a")));
  REQUIRE(table.publish(from, draft("/queue/q", "b", 1200)));
  table.settle();
  table.router.on_time(1300);
  CHECK(waiting(table, "q") == 1);
  table.router.on_time(1500);
  CHECK(waiting(table, "q") == 0);
}

TEST_CASE("what has expired when it comes is not delivered, and its receipt is due") {
  RouterTable table;
  Recorder producer, consumer;
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kAuto);
  REQUIRE(table.publish(table.join(producer), draft("/queue/q", "a", 999), 5));
  CHECK(consumer.deliveries.empty());
  CHECK(producer.receipts == Numbers{5});
}

TEST_CASE("a queue that is empty and idle long enough disappears, in the store too") {
  RouterTable table;
  Recorder producer, consumer;
  table.router.on_time(1000);
  const auto peer = table.join(consumer);
  const auto subscription = table.subscribe(peer, "/queue/q", AckMode::kIndividual);
  REQUIRE(table.send(table.join(producer), "/queue/q", "a"));
  table.settle();
  REQUIRE(table.router.acknowledge(subscription, consumer.deliveries[0].id, Reach::kOne, {}));
  table.settle();
  table.router.on_time(400'000);
  CHECK(table.router.queue_figures().size() == 1);
  table.router.detach(peer);
  table.router.on_time(699'000);
  CHECK(table.router.queue_figures().size() == 1);
  table.router.on_time(1'100'000);
  table.settle();
  CHECK(table.router.queue_figures().empty());
  CHECK(table.journal.state().queues.empty());
}

TEST_CASE("queues of the broker's own and those that hold messages stay") {
  RoutingOptions options;
  options.always_allowed_queues = {"catalog"};
  RouterTable table(options);
  Recorder producer, consumer;
  table.router.on_time(1000);
  const auto from = table.join(producer);
  for (const char* name : {"/queue/catalog", "/queue/dead-letter", "/queue/full"})
    REQUIRE(table.send(from, name, "x"));
  table.settle();
  const auto peer = table.join(consumer);
  for (const char* name : {"/queue/catalog", "/queue/dead-letter"})
    table.subscribe(peer, name, AckMode::kAuto);
  for (const routing::Delivery& delivery : consumer.deliveries)
    REQUIRE(table.router.acknowledge(delivery.subscription, delivery.id, Reach::kOne, {}));
  table.router.detach(peer);
  table.settle();
  for (std::int64_t now = 2000; now < 2'000'000; now += 100'000)
    table.router.on_time(now);
  CHECK(table.router.queue_figures().size() == 3);
}

TEST_CASE("a queue that was found at the start is not idle before it has been there long enough") {
  RouterTable table;
  Recorder producer;
  table.router.on_time(1000);
  Draft gone = draft("/queue/q", "a", 1500);
  REQUIRE(table.publish(table.join(producer), gone));
  table.settle();
  table.journal.crash();
  RouterTable second(std::move(table.journal));
  second.router.on_time(10'000'000);
  second.settle();
  CHECK(second.router.queue_figures().size() == 1);
}

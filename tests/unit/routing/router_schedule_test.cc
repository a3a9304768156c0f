#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "broker/routing/router.h"
#include "tests/unit/routing/recorder.h"

using namespace stompbox;
using namespace std::chrono_literals;
using routing::AckMode;
using routing::Draft;
using routing::Schedule;
using testing::Recorder;
using testing::RouterTable;
using Bodies = std::vector<std::string>;
using Numbers = std::vector<std::uint64_t>;

namespace {

Draft later(std::string destination, std::string body, Schedule schedule) {
  Draft made;
  made.destination = std::move(destination);
  made.body = std::move(body);
  made.schedule = schedule;
  return made;
}

Draft cancel(std::string header_block) {
  Draft made;
  made.destination = "/topic/ActiveMQ.Scheduler.Management";
  made.header_block = std::move(header_block);
  return made;
}

std::string job_of(const routing::Delivery& delivery) {
  std::string scratch;
  return std::string(*routing::find_header(*delivery.message, "scheduledJobId", scratch));
}

}  // namespace

TEST_CASE("a scheduled message comes when its time has come, once") {
  RouterTable table;
  Recorder producer, consumer;
  table.router.on_time(1000);
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  REQUIRE(table.publish(table.join(producer), later("/queue/q", "a", {500ms, 0ms, 0}), 3));
  CHECK(producer.receipts.empty());
  table.settle();
  CHECK(producer.receipts == Numbers{3});
  CHECK(table.router.figures().scheduled == 1);
  CHECK(table.router.next_event_ms() == 1500);
  table.router.on_time(1499);
  CHECK(consumer.deliveries.empty());
  table.router.on_time(1500);
  CHECK(consumer.bodies() == Bodies{"a"});
  table.settle();
  table.router.on_time(10'000);
  CHECK(consumer.bodies().empty());
  CHECK(table.journal.stored_count("/scheduled") == 0);
  CHECK(table.journal.stored_count("q") == 1);
}

TEST_CASE("what is scheduled survives a restart, and what is overdue comes at once") {
  RouterTable table;
  Recorder producer, consumer;
  table.router.on_time(1000);
  const auto from = table.join(producer);
  REQUIRE(table.publish(from, later("/queue/q", "soon", {500ms, 0ms, 0})));
  REQUIRE(table.publish(from, later("/queue/q", "late", {100'000ms, 0ms, 0})));
  table.settle();
  table.journal.crash();
  RouterTable second(std::move(table.journal));
  second.subscribe(second.join(consumer), "/queue/q", AckMode::kIndividual);
  second.router.on_time(5000);
  second.settle();
  CHECK(consumer.bodies() == Bodies{"soon"});
  CHECK(second.router.figures().scheduled == 1);
  second.router.on_time(101'000);
  CHECK(consumer.bodies() == Bodies{"late"});
}

TEST_CASE("a repeated message comes as often as it says, under one job and new ids") {
  RouterTable table;
  Recorder producer, consumer;
  table.router.on_time(1000);
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  REQUIRE(table.publish(table.join(producer), later("/queue/q", "a", {10ms, 10ms, 2})));
  for (std::int64_t now = 1010; now <= 1100; now += 10) {
    table.router.on_time(now);
    table.settle();
  }
  REQUIRE(consumer.bodies() == Bodies{"a", "a", "a"});
  CHECK(job_of(consumer.deliveries[0]) == job_of(consumer.deliveries[2]));
  CHECK(consumer.deliveries[0].message->id != consumer.deliveries[2].message->id);
  CHECK(table.router.figures().scheduled == 0);
}

TEST_CASE("how often a repeated message has come is kept over a restart") {
  RouterTable table;
  Recorder producer, consumer;
  table.router.on_time(1000);
  REQUIRE(table.publish(table.join(producer), later("/queue/q", "a", {10ms, 10ms, 2})));
  table.router.on_time(1010);
  table.router.on_time(1020);
  table.settle();
  table.journal.crash();
  RouterTable second(std::move(table.journal));
  second.router.on_time(1030);
  second.settle();
  second.router.on_time(2000);
  second.settle();
  CHECK(second.journal.stored_count("q") == 3);
  CHECK(second.router.figures().scheduled == 0);
}

TEST_CASE("a scheduled message can be cancelled by its job, or all together") {
  RouterTable table;
  Recorder producer, consumer;
  table.router.on_time(1000);
  const auto from = table.join(producer);
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  REQUIRE(table.publish(from, later("/queue/q", "a", {10ms, 10ms, -1})));
  REQUIRE(table.publish(from, later("/queue/q", "b", {20'000ms, 0ms, 0})));
  table.router.on_time(1010);
  REQUIRE(consumer.deliveries.size() == 1);
  REQUIRE(table.publish(from,
                        cancel("AMQ_SCHEDULER_ACTION:REMOVE\nscheduledJobId:" +
                               job_of(consumer.deliveries[0]) + "\n"),
                        7));
  table.commit();
  CHECK(producer.receipts == Numbers{7});
  table.router.on_time(1100);
  CHECK(consumer.deliveries.size() == 1);
  REQUIRE(table.publish(from, cancel("AMQ_SCHEDULER_ACTION:REMOVEALL\n")));
  table.settle();
  table.router.on_time(100'000);
  CHECK(consumer.deliveries.size() == 1);
  CHECK(table.journal.stored_count("/scheduled") == 0);
}

TEST_CASE("what the scheduler cannot do is an error that says so") {
  RouterTable table;
  Recorder producer;
  const auto from = table.join(producer);
  CHECK(table.publish(from, cancel("AMQ_SCHEDULER_ACTION:BROWSE\n")).error().code ==
        storage::ErrorCode::kInvalid);
  CHECK(table.publish(from, cancel("AMQ_SCHEDULER_ACTION:REMOVE\n")).error().code ==
        storage::ErrorCode::kInvalid);
}

TEST_CASE("the number of scheduled messages is bounded") {
  routing::RoutingOptions options;
  options.scheduled_count_max = 1;
  RouterTable table(options);
  Recorder producer;
  const auto from = table.join(producer);
  REQUIRE(table.publish(from, later("/queue/q", "a", {10ms, 0ms, 0})));
  CHECK(table.publish(from, later("/queue/q", "b", {10ms, 0ms, 0})).error().code ==
        storage::ErrorCode::kFull);
}

TEST_CASE("bodies beyond the budget wait in the store and are read when they are due") {
  routing::RoutingOptions options;
  options.resident_bytes_max = 1000;
  RouterTable table(options);
  Recorder producer, consumer;
  table.router.on_time(1000);
  const auto from = table.join(producer);
  table.subscribe(table.join(consumer), "/topic/t", AckMode::kIndividual);
  for (const char first : {'a', 'b', 'c'}) {
    REQUIRE(table.publish(from, later("/topic/t", std::string(600, first), {10ms, 0ms, 0})));
  }
  table.settle();
  table.router.on_time(1010);
  table.settle();
  CHECK(consumer.deliveries.size() == 3);
  CHECK(table.router.figures().scheduled == 0);
}

TEST_CASE("a scheduled message whose write is not done yet is sent after it") {
  routing::RoutingOptions options;
  options.resident_bytes_max = 1;
  RouterTable table(options);
  Recorder producer, consumer;
  table.router.on_time(1000);
  table.subscribe(table.join(consumer), "/topic/t", AckMode::kIndividual);
  REQUIRE(table.publish(table.join(producer), later("/topic/t", "a", {1ms, 0ms, 0})));
  table.router.on_time(1001);
  table.load();
  CHECK(consumer.deliveries.empty());
  table.settle();
  CHECK(consumer.bodies() == Bodies{"a"});
}

TEST_CASE("a scheduled SEND in a transaction is scheduled when that is synced") {
  RouterTable table;
  Recorder producer, consumer;
  table.router.on_time(1000);
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  std::vector<routing::Transacted> actions;
  actions.emplace_back(routing::TransactedSend{later("/queue/q", "a", {10ms, 0ms, 0}), {}});
  REQUIRE(table.router.commit(table.join(producer), std::move(actions), 1000, {}));
  table.settle();
  CHECK(table.journal.stored_count("/scheduled") == 1);
  table.router.on_time(1010);
  CHECK(consumer.bodies() == Bodies{"a"});
}

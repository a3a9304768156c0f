#include "broker/monitor_queue.h"

#include <doctest/doctest.h>

namespace stompbox {
namespace {

using options::MonitorFields;

routing::QueueFigures figures(const std::string& name) {
  routing::QueueFigures queue;
  queue.name = name;
  queue.waiting = 2;
  queue.in_flight = 1;
  queue.enqueued = 400;
  queue.acknowledged = 397;
  queue.returned = 3;
  queue.consumers = 1;
  queue.oldest_arrived_ms = 10'000;
  return queue;
}

TEST_CASE("the report is StompServer's, letter for letter") {
  CHECK(monitor_report({figures("b"), figures("a")}, MonitorFields::kStandard, 0) ==
        "Queue: /queue/a\nsize: 2\nenqueued: 400\ndequeued: 398\n\n"
        "Queue: /queue/b\nsize: 2\nenqueued: 400\ndequeued: 398\n\n");
}

TEST_CASE("there is no report without queues") {
  CHECK(monitor_report({}, MonitorFields::kAll, 0).empty());
}

TEST_CASE("further fields come after the old ones and only if asked for") {
  CHECK(monitor_report({figures("a")}, MonitorFields::kExceptions, 0) ==
        "Queue: /queue/a\nsize: 2\nenqueued: 400\ndequeued: 398\nexceptions: 3\n\n");
  CHECK(monitor_report({figures("a")}, MonitorFields::kAll, 12'500) ==
        "Queue: /queue/a\nsize: 2\nenqueued: 400\ndequeued: 398\nexceptions: 3\nconsumers: 1\n"
        "oldest: 2\n\n");
}

TEST_CASE("a queue with a backlog of an earlier start has not dequeued more than was enqueued") {
  auto queue = figures("a");
  queue.enqueued = 0;
  CHECK(monitor_report({queue}, MonitorFields::kStandard, 0) ==
        "Queue: /queue/a\nsize: 2\nenqueued: 400\ndequeued: 398\n\n");
}

TEST_CASE("a queue that only begins like one has its own name") {
  CHECK(monitor_report({figures("/queuefoo")}, MonitorFields::kStandard, 0)
            .find("Queue: /queuefoo\n") == 0);
}

}  // namespace
}  // namespace stompbox

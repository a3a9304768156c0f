#include "broker/routing/schedule.h"

#include <doctest/doctest.h>

using namespace stompbox;
using namespace std::chrono_literals;
using routing::Job;
using routing::Schedule;
using routing::ScheduleClock;

namespace {

queue::MessagePtr waiting(const Schedule& schedule, std::int64_t arrived_ms,
                          std::uint64_t counter = 1) {
  queue::Message made;
  made.id = queue::MessageId::make(3, counter);
  made.header_block = routing::job_line(schedule, {2}, true) + "AMQ_SCHEDULED_DELAY:5\nx:y\n";
  made.body = "later";
  made.arrived_ms = arrived_ms;
  return std::make_shared<const queue::Message>(std::move(made));
}

Job job(const Schedule& schedule, std::int64_t arrived_ms, std::uint64_t counter = 1) {
  return *routing::job_of(waiting(schedule, arrived_ms, counter), {{}, {counter}}, 0);
}

}  // namespace

TEST_CASE("a job is read again from the message that waits for it") {
  const Job read = *routing::job_of(waiting({10ms, 20ms, -1}, 1000), {{}, {7}}, 3);
  CHECK(read.schedule.delay == 10ms);
  CHECK(read.schedule.period == 20ms);
  CHECK(read.schedule.repeats == -1);
  CHECK(read.priority.value == 2);
  CHECK(read.has_group);
  CHECK(read.place.seq.value == 7);
  CHECK(read.due_ms() == 1000 + 10 + 3 * 20);
}

TEST_CASE("a message without a job line is no job") {
  queue::Message made;
  made.header_block = "x:y\n";
  CHECK_FALSE(routing::job_of(std::make_shared<const queue::Message>(made), {}, 0));
}

TEST_CASE("what is sent names its job and not its schedule") {
  const queue::MessagePtr message = waiting({10ms, 0ms, 0}, 0);
  CHECK(routing::sent_block(message->header_block, message->id) == "scheduledJobId:3-1\nx:y\n");
}

TEST_CASE("a job without a period is sent once") {
  Job once = job({10ms, 0ms, 5}, 1000);
  CHECK_FALSE(once.sent(1010));
}

TEST_CASE("a job is sent once and then as often as it says") {
  Job thrice = job({10ms, 5ms, 2}, 1000);
  CHECK(thrice.due_ms() == 1010);
  CHECK(thrice.sent(1010));
  CHECK(thrice.due_ms() == 1015);
  CHECK(thrice.sent(1015));
  CHECK_FALSE(thrice.sent(1020));
}

TEST_CASE("a job that was late is sent once for all the times that it missed") {
  Job late = job({10ms, 5ms, -1}, 1000);
  CHECK(late.sent(1023));
  CHECK(late.due_ms() == 1025);
}

TEST_CASE("an absurd period does not overflow the clock") {
  Job far =
      job({std::chrono::milliseconds(INT64_MAX), std::chrono::milliseconds(INT64_MAX), -1}, 1000);
  CHECK(far.due_ms() > 1000);
  (void)far.sent(1000);
  CHECK(far.due_ms() > 1000);
}

TEST_CASE("jobs come in order of their time, and not before it") {
  ScheduleClock clock;
  clock.add(job({30ms, 0ms, 0}, 0, 1));
  clock.add(job({10ms, 0ms, 0}, 0, 2));
  CHECK(clock.next_due_ms() == 10);
  CHECK_FALSE(clock.take_due(9));
  CHECK(clock.take_due(30)->id.counter() == 2);
  CHECK(clock.take_due(30)->id.counter() == 1);
  CHECK(clock.count() == 0);
  CHECK(clock.resident_bytes() == 0);
}

TEST_CASE("a job is found by the name that was shown") {
  ScheduleClock clock;
  clock.add(job({30ms, 0ms, 0}, 0, 17));
  REQUIRE(clock.contains(*routing::job_id("3-17")));
  CHECK_FALSE(clock.contains(*routing::job_id("3-18")));
  CHECK_FALSE(routing::job_id("x"));
  CHECK_FALSE(routing::job_id(""));
  CHECK(clock.remove(*routing::job_id("3-17")));
  CHECK_FALSE(clock.next_due_ms());
}

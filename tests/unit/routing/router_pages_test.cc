#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/routing/router.h"
#include "tests/unit/routing/recorder.h"

// What waits on the disk only, and comes in pages.
using namespace stompbox;
using routing::AckMode;
using routing::Reach;
using testing::Recorder;
using testing::RouterTable;
using Bodies = std::vector<std::string>;

TEST_CASE("memory does not grow with the backlog") {
  routing::RoutingOptions options;
  options.resident_count_max = 10;
  RouterTable table(options);
  Recorder producer, consumer;
  const auto from = table.join(producer);
  Bodies sent;
  for (int i = 0; i < 500; ++i) {
    sent.push_back(std::to_string(i));
    REQUIRE(table.send(from, "/queue/q", sent.back()));
  }
  CHECK(table.router.queue_figures()[0].resident == 10);
  CHECK(table.router.queue_figures()[0].waiting == 500);
  const auto subscription =
      table.subscribe(table.join(consumer), "/queue/q", AckMode::kAuto, {7, 1 << 20});
  std::size_t done = 0;
  while (table.journal.has_work() || done < consumer.deliveries.size()) {
    CHECK(table.router.queue_figures()[0].resident <= 20);
    for (; done < consumer.deliveries.size(); ++done) {
      REQUIRE(
          table.router.acknowledge(subscription, consumer.deliveries[done].id, Reach::kOne, {}));
    }
    table.commit();
    table.load();
  }
  CHECK(consumer.bodies() == sent);
  CHECK(table.router.queue_figures()[0].waiting == 0);
}

TEST_CASE("a small message does not keep the memory of a large one that was here before it") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  const auto subscription = table.subscribe(table.join(consumer), "/queue/q", AckMode::kAuto);
  for (int round = 0; round < 20; ++round) {
    REQUIRE(table.send(from, "/queue/q", std::string(round % 2 == 0 ? 50'000 : 3, 'x')));
    REQUIRE(consumer.deliveries.size() == 1);
    const queue::Message& message = *consumer.deliveries[0].message;
    CHECK(message.body.capacity() <= 2 * message.body.size() + 15);
    REQUIRE(table.router.acknowledge(subscription, consumer.deliveries[0].id, Reach::kOne, {}));
    consumer.deliveries.clear();
    table.commit();
  }
}

TEST_CASE("a message that is committed after the reader looked is loaded by the next page") {
  routing::RoutingOptions options;
  options.resident_count_max = 2;
  RouterTable table(options);
  Recorder producer, consumer;
  const auto from = table.join(producer);
  for (const char* body : {"a", "b", "c"})
    REQUIRE(table.send(from, "/queue/q", body));
  table.commit();
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  auto pages = table.journal.take_pages();  // the reader has looked
  REQUIRE(pages.size() == 1);
  REQUIRE(table.send(from, "/queue/q", "d"));
  table.commit();
  table.router.on_loaded(std::move(pages[0]));
  table.load();
  CHECK(consumer.bodies() == Bodies{"a", "b", "c", "d"});
}

TEST_CASE("a page that could not be read is not asked for again before the next commit") {
  routing::RoutingOptions options;
  options.resident_count_max = 1;
  RouterTable table(options);
  Recorder producer, consumer;
  const auto from = table.join(producer);
  for (const char* body : {"a", "b"})
    REQUIRE(table.send(from, "/queue/q", body));
  table.commit();
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  auto pages = table.journal.take_pages();
  REQUIRE(pages.size() == 1);
  pages[0].messages.clear();
  pages[0].error = storage::Error{storage::ErrorCode::kIo, "unreadable"};
  table.router.on_loaded(std::move(pages[0]));
  CHECK(table.journal.take_pages().empty());
  REQUIRE(table.send(from, "/queue/q", "c"));
  table.settle();
  CHECK(consumer.bodies() == Bodies{"a", "b", "c"});
}

// Writes down how many it had got when the journal was first asked for something.
class Watcher final : public routing::Consumer {
 public:
  explicit Watcher(const testing::FakeJournal& journal) : journal_(journal) {}

  void deliver(const routing::Delivery&) override {
    if (asked_after == 0 && journal_.has_work()) asked_after = delivered;
    ++delivered;
  }
  void receipt_due(routing::ReceiptNumber) override {}
  void refused(routing::ReceiptNumber, const storage::Error&) override {}
  void too_slow(std::uint32_t) override {}
  void browse_end(std::uint32_t) override {}
  void room_again() override {}

  std::size_t delivered = 0;
  std::size_t asked_after = 0;

 private:
  const testing::FakeJournal& journal_;
};

TEST_CASE("the next page is asked for while what is in memory still goes out") {
  constexpr std::size_t kResident = 1000;
  routing::RoutingOptions options;
  options.resident_count_max = kResident;
  RouterTable table(options);
  Recorder producer;
  const auto from = table.join(producer);
  for (std::size_t i = 0; i < 3 * kResident; ++i)
    REQUIRE(table.send(from, "/queue/q", "x"));
  table.settle();
  Watcher watcher(table.journal);
  routing::SubscribeRequest request;
  request.peer = table.router.attach(watcher);
  request.destinations = {{routing::DestinationKind::kQueue, "q"}};
  request.ack_mode = AckMode::kIndividual;
  request.credit = {10 * kResident, 1 << 30};
  table.router.start_delivery(*table.router.subscribe(request));
  CHECK(watcher.delivered == kResident);
  CHECK(watcher.asked_after >= kResident / 2);  // not before there is room
  CHECK(watcher.asked_after < kResident / 2 + 200);
  table.settle();
  CHECK(watcher.delivered == 3 * kResident);
}

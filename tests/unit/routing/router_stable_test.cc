#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "broker/routing/router.h"
#include "tests/unit/routing/recorder.h"

// What has to be on stable storage, or gone from it, before anybody is told so; and what a page
// that was read too early must not bring back.
using namespace stompbox;
using namespace std::chrono_literals;
using routing::AckMode;
using routing::Browsing;
using routing::Draft;
using routing::Outcome;
using routing::Reach;
using routing::ReceiptNumber;
using routing::RoutingOptions;
using routing::SubscribeRequest;
using testing::FakeJournal;
using testing::Recorder;
using testing::RouterTable;
using Bodies = std::vector<std::string>;
using Numbers = std::vector<std::uint64_t>;
using Count = std::optional<storage::Result<std::uint64_t>>;

namespace {

routing::Router::Done into(Count& count) {
  return [&count](storage::Result<std::uint64_t> result) { count.emplace(std::move(result)); };
}

RoutingOptions small_memory() {
  RoutingOptions options;
  options.resident_count_max = 4;
  return options;
}

Draft coloured(std::string body, std::string_view colour) {
  Draft made;
  made.destination = "/queue/q";
  made.header_block = "colour:" + std::string(colour) + "\n";
  made.body = std::move(body);
  return made;
}

SubscribeRequest selecting(routing::PeerId peer, std::string_view selector) {
  SubscribeRequest request;
  request.peer = peer;
  request.ack_mode = AckMode::kIndividual;
  request.credit = {1, 1 << 20};
  request.selector = *routing::Selector::parse(selector);
  return request;
}

Draft scheduled(std::string body) {
  Draft made;
  made.destination = "/queue/q";
  made.body = std::move(body);
  made.schedule = routing::Schedule{100ms, 0ms, 0};
  return made;
}

Draft cancel(std::string header_block) {
  Draft made;
  made.destination = "/topic/ActiveMQ.Scheduler.Management";
  made.header_block = std::move(header_block);
  return made;
}

}  // namespace

TEST_CASE("a page that was read before an ACK does not bring the message back") {
  RouterTable table(small_memory());
  Recorder producer, blue, other;
  const auto from = table.join(producer);
  for (int i = 0; i < 12; ++i)
    REQUIRE(table.publish(from, coloured(std::to_string(i), i < 4 ? "red" : "blue")));
  table.settle();
  const auto first = table.subscribe_as(selecting(table.join(blue), "colour = 'blue'"), "/queue/q");
  REQUIRE(first);
  table.settle();
  REQUIRE(blue.bodies() == Bodies{"4"});
  SubscribeRequest request = selecting(table.join(other), "colour <> 'red'");
  request.credit.count_max = 100;
  REQUIRE(table.subscribe_as(request, "/queue/q"));
  auto pages = table.journal.take_pages();
  REQUIRE_FALSE(pages.empty());
  REQUIRE(table.router.acknowledge(*first, blue.deliveries[0].id, Reach::kOne, ReceiptNumber{1}));
  table.commit();
  REQUIRE(blue.receipts == Numbers{1});
  for (queue::LoadedPage& page : pages)
    table.router.on_loaded(std::move(page));
  table.settle();
  for (const std::string& body : other.bodies())
    CHECK(body != "4");
}

TEST_CASE("a browser with a selector comes and goes beside consumers that choose") {
  RouterTable table;
  Recorder producer, viewer, consumer;
  const auto from = table.join(producer);
  REQUIRE(table.subscribe_as(selecting(table.join(consumer), "colour = 'blue'"), "/queue/q"));
  SubscribeRequest request = selecting(table.join(viewer), "colour = 'red'");
  request.browsing = Browsing::kFollow;
  const auto browsing = table.subscribe_as(request, "/queue/q");
  REQUIRE(browsing);
  table.router.unsubscribe(*browsing);
  REQUIRE(table.publish(from, coloured("a", "blue")));
  CHECK(consumer.bodies() == Bodies{"a"});
}

TEST_CASE("a full disk does not hold up the receipt of an ACK or a NACK") {
  RouterTable table;
  Recorder producer, consumer;
  const auto from = table.join(producer);
  const auto to = table.join(consumer);
  const auto held = table.subscribe(to, "/queue/q", AckMode::kIndividual);
  for (const char* body : {"1", "2"})
    REQUIRE(table.send(from, "/queue/q", body));
  table.settle();
  table.journal.set_disk(FakeJournal::Disk::kFull);
  REQUIRE(table.send(from, "/queue/other", "waits"));
  table.commit();
  REQUIRE(table.router.acknowledge(held, consumer.deliveries[0].id, Reach::kOne, ReceiptNumber{1}));
  REQUIRE(table.router.refuse_delivery(held, consumer.deliveries[1].id, Reach::kOne,
                                       Outcome::kReturn, ReceiptNumber{2}));
  CHECK(consumer.receipts.empty());
  table.commit();
  CHECK(consumer.receipts == Numbers{1, 2});
}

TEST_CASE("an operator is told of a purge, a move and a removal when they are on the disk") {
  RouterTable table;
  Recorder producer;
  const auto from = table.join(producer);
  for (const char* name : {"/queue/a", "/queue/b", "/queue/c"})
    REQUIRE(table.send(from, name, "x"));
  table.settle();
  Count purged, moved, removed;
  routing::Destination target;
  target.name = "d";
  table.router.purge("a", into(purged));
  table.router.move_messages("b", target, 9, into(moved));
  table.router.remove_queue("c", into(removed));
  for (const Count& count : {purged, moved, removed})
    CHECK_FALSE(count);
  table.commit();
  for (const Count& count : {purged, moved, removed}) {
    REQUIRE(count);
    CHECK(**count == 1);
  }
}

TEST_CASE("a full disk does not hold up a purge") {
  RouterTable table;
  Recorder producer;
  const auto from = table.join(producer);
  REQUIRE(table.send(from, "/queue/a", "x"));
  table.settle();
  table.journal.set_disk(FakeJournal::Disk::kFull);
  REQUIRE(table.send(from, "/queue/other", "waits"));
  table.commit();
  Count purged;
  table.router.purge("a", into(purged));
  table.commit();
  CHECK(purged);
}

TEST_CASE("an idle backlog leaves the memory and comes back from the store") {
  RouterTable table;
  Recorder producer, consumer;
  table.router.on_time(1000);
  const auto from = table.join(producer);
  for (int i = 0; i < 5; ++i)
    REQUIRE(table.send(from, "/queue/q", std::to_string(i)));
  table.settle();
  CHECK(table.router.figures().resident_bytes > 0);
  REQUIRE(table.router.next_event_ms() == 11'000);
  table.router.on_time(11'000);
  CHECK(table.router.figures().resident_bytes == 0);
  CHECK(table.router.queue_figures()[0].waiting == 5);
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kIndividual);
  table.settle();
  CHECK(consumer.bodies() == Bodies{"0", "1", "2", "3", "4"});
  CHECK_FALSE(consumer.deliveries[0].redelivered);
}

TEST_CASE("what comes through a topic lives in a durable backlog as long as its policy says") {
  RoutingOptions options;
  options.queue_policy.age_max = 500ms;
  RouterTable table(options);
  Recorder producer, consumer;
  table.router.on_time(1000);
  const auto to = table.join(consumer);
  SubscribeRequest request;
  request.peer = to;
  request.ack_mode = AckMode::kIndividual;
  request.durable_name = "d";
  REQUIRE(table.subscribe_as(request, "/topic/t"));
  table.router.detach(to);
  REQUIRE(table.send(table.join(producer), "/topic/t", "old"));
  table.settle();
  REQUIRE(table.journal.stored_count("/dsub/d") == 1);
  CHECK(table.journal.stored("/dsub/d")[0].message->expires_ms == 1500);
  table.router.on_time(1500);
  table.settle();
  CHECK(table.journal.stored_count("/dsub/d") == 0);
}

TEST_CASE("no-local is refused for a durable subscription") {
  RouterTable table;
  Recorder consumer;
  SubscribeRequest request;
  request.peer = table.join(consumer);
  request.durable_name = "d";
  request.locality = routing::Locality::kNotOwn;
  CHECK(table.subscribe_as(request, "/topic/t").error().code == storage::ErrorCode::kInvalid);
}

TEST_CASE("jobs of an earlier life are cancelled before their page has come, too") {
  for (const bool is_all : {true, false}) {
    RouterTable table;
    Recorder producer, canceller;
    table.router.on_time(1000);
    REQUIRE(table.publish(table.join(producer), scheduled("a")));
    table.settle();
    const auto id = table.journal.stored("/scheduled")[0].message->id;
    table.journal.crash();
    RouterTable second(std::move(table.journal));
    second.router.on_time(1010);
    const auto peer = second.join(canceller);
    const std::string one =
        "AMQ_SCHEDULER_ACTION:REMOVE\nscheduledJobId:" + routing::job_text(id) + "\n";
    REQUIRE(
        second.publish(peer, cancel(is_all ? "AMQ_SCHEDULER_ACTION:REMOVEALL\n" : one), 7, 1010));
    CHECK(canceller.receipts.empty());
    second.settle();
    CHECK(canceller.receipts == Numbers{7});
    second.router.on_time(5000);
    second.settle();
    CHECK(second.journal.stored_count("q") == 0);
    CHECK(second.journal.stored_count("/scheduled") == 0);
  }
}

TEST_CASE(
    "what is volatile in a transaction goes to the disk before what follows it in its class") {
  RouterTable table(small_memory());
  Recorder producer, consumer;
  const auto from = table.join(producer);
  for (int i = 0; i < 4; ++i)
    REQUIRE(table.send(from, "/queue/q", std::to_string(i)));
  table.settle();
  std::vector<routing::Transacted> actions;
  for (int i = 4; i < 8; ++i) {
    routing::TransactedSend send;
    send.draft = coloured(std::to_string(i), "red");
    if (i % 2 == 0) send.draft.persistence = queue::Persistence::kVolatile;
    actions.emplace_back(std::move(send));
  }
  REQUIRE(table.router.commit(from, std::move(actions), 1000, {}));
  table.commit();
  CHECK(table.journal.places_grew());
  CHECK(table.journal.stored_count("q") == 8);
  table.subscribe(table.join(consumer), "/queue/q", AckMode::kAuto);
  table.settle();
  CHECK(consumer.bodies() == Bodies{"0", "1", "2", "3", "4", "5", "6", "7"});
}

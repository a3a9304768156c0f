#include "broker/drain/drain.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/fake_journal.h"
#include "tests/support/silent_peer.h"
#include "tests/unit/drain/scripted_store.h"

using namespace stompbox;
using namespace stompbox::drain;
using namespace std::chrono_literals;

namespace {

struct NotedWorkshop final : Workshop {
  void hand_over(Round round) override { rounds.push_back(std::move(round)); }
  std::vector<Round> rounds;
};

struct NotedObserver final : DrainObserver {
  void on_warning(const std::string& node, const std::string& warning) override {
    lines.push_back("warning " + node + ": " + warning);
  }
  void on_dead_letter(const std::string& node, queue::MessageId,
                      const std::string& reason) override {
    lines.push_back("dead " + node + ": " + reason);
  }
  void on_trouble(const std::string& reason, std::chrono::milliseconds retry_in) override {
    lines.push_back("trouble " + reason + " " + std::to_string(retry_in.count()));
  }
  void on_recovery() override { lines.push_back("recovery"); }
  void on_competition(const std::string& queue) override { lines.push_back("contested " + queue); }
  std::vector<std::string> lines;
};

// Whoever takes from the queue afterwards.
struct NextPeer final : routing::Consumer {
  void deliver(const routing::Delivery& delivery) override {
    redelivered.push_back(delivery.redelivered);
  }
  void receipt_due(routing::ReceiptNumber) override {}
  void refused(routing::ReceiptNumber, const storage::Error&) override {}
  void too_slow(std::uint32_t) override {}
  void room_again() override {}
  std::vector<bool> redelivered;
};

// A drain on a real router; rounds are answered when the test says so.
struct Bench {
  explicit Bench(Suspects suspects = {})
      : drain(
            router, workshop, observer, options, [this] { ++wakes; }, std::move(suspects)) {
    producer_id = router.attach(producer);
  }

  void start() { drain.start(now, 1000); }
  void send(const std::string& queue, const std::string& body) {
    routing::Draft draft;
    draft.destination = "/queue/" + queue;
    draft.header_block = "colour:blue\n";
    draft.body = body;
    REQUIRE(router.publish(producer_id, std::move(draft), 500 + sent++, std::nullopt));
  }
  void wake() { drain.on_wake(now, 1000); }
  void advance(std::chrono::milliseconds by) {
    now += by;
    drain.on_time(now);
    if (!drain.idle() && workshop.rounds.back().items.empty()) work();  // a question
  }
  // Answers the round under way by what the store does.
  void work() {
    REQUIRE_FALSE(drain.idle());
    drain.on_round_done(run_round(workshop.rounds.back(), store, options.read, "s"), now, 2000);
  }
  void fail(const std::string& reason) {
    REQUIRE_FALSE(drain.idle());
    drain.on_round_done(retry_all(workshop.rounds.back(), reason), now, 2000);
  }
  routing::QueueFigures queue(const std::string& name) const {
    for (const auto& figures : router.queue_figures()) {
      if (figures.name == name) return figures;
    }
    return {};
  }
  void commit() { router.on_commit(journal.commit()); }
  std::size_t round_size() const { return workshop.rounds.back().items.size(); }

  testing::FakeJournal journal;
  routing::Router router{journal, {}, journal.state()};
  testing::SilentPeer producer;
  routing::PeerId producer_id;
  NotedWorkshop workshop;
  NotedObserver observer;
  DrainOptions options;
  ScriptedStore store;
  int wakes = 0;
  int sent = 0;
  TimePoint now{};
  Drain drain;
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("nothing is taken before the start") {
  Bench bench;
  bench.send("catalog", catalog_body("a"));
  bench.wake();
  CHECK(bench.workshop.rounds.empty());
  CHECK(bench.queue("catalog").in_flight == 0);
}

TEST_CASE("deliveries ask for one wake and go over in one round, by arrival over both queues") {
  Bench bench;
  bench.send("catalog", catalog_body("a"));
  bench.send("facts", facts_body("a"));
  bench.send("catalog", catalog_body("b"));
  bench.start();
  CHECK(bench.wakes == 1);
  CHECK(bench.workshop.rounds.empty());
  bench.wake();
  REQUIRE(bench.workshop.rounds.size() == 1);
  const auto& items = bench.workshop.rounds[0].items;
  REQUIRE(items.size() == 3);
  CHECK(items[0].message->id < items[1].message->id);
  CHECK(items[1].message->id < items[2].message->id);
  CHECK(items[1].kind == MessageKind::kFacts);
}

TEST_CASE("a message is acknowledged when it is stored, not before") {
  Bench bench;
  bench.start();
  bench.send("catalog", catalog_body("a"));
  bench.wake();
  CHECK(bench.queue("catalog").in_flight == 1);
  CHECK(bench.queue("catalog").acknowledged == 0);
  bench.work();
  CHECK(bench.queue("catalog").in_flight == 0);
  CHECK(bench.queue("catalog").acknowledged == 1);
  CHECK(bench.drain.figures().stored == 1);
  CHECK(bench.drain.figures().last_stored_ms == 2000);
}

TEST_CASE("one round is under way at a time, and the next takes all that has come meanwhile") {
  Bench bench;
  bench.start();
  bench.send("catalog", catalog_body("a"));
  bench.wake();
  bench.send("catalog", catalog_body("b"));
  bench.send("catalog", catalog_body("c"));
  bench.wake();
  CHECK(bench.workshop.rounds.size() == 1);
  bench.work();
  REQUIRE(bench.workshop.rounds.size() == 2);
  CHECK(bench.round_size() == 2);
}

TEST_CASE("the drain holds no more than its window") {
  Bench bench;
  for (int i = 0; i < 400; ++i)
    bench.send("catalog", catalog_body("a"));
  for (int i = 0; i < 400; ++i)
    bench.send("facts", facts_body("a"));
  bench.start();
  bench.wake();
  CHECK(bench.round_size() == bench.options.window_count);
  CHECK(bench.queue("catalog").in_flight == 192);
  bench.work();
  CHECK(bench.queue("catalog").acknowledged == 192);
  CHECK(bench.queue("catalog").in_flight == 192);
}

TEST_CASE("superseded catalogs are acknowledged together with the newer one") {
  Bench bench;
  bench.send("catalog", catalog_body("a"));
  bench.send("catalog", catalog_body("a"));
  bench.start();
  bench.wake();
  bench.work();
  CHECK(bench.queue("catalog").acknowledged == 2);
  CHECK(bench.drain.figures().superseded == 1);
  CHECK(bench.drain.figures().stored == 1);
}

TEST_CASE("an unreadable message goes to the dead-letter queue with its headers and bytes") {
  Bench bench;
  const std::string bytes("\x00\xff{ not pson", 12);
  bench.send("catalog", bytes);
  bench.send("catalog", catalog_body("a"));
  bench.start();
  bench.wake();
  bench.work();
  bench.commit();
  const auto letters = bench.journal.stored("dead-letter");
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].message->body == bytes);
  const std::string& headers = letters[0].message->header_block;
  CHECK(headers.starts_with("dead-letter-reason:unreadable\ndead-letter-detail:"));
  CHECK(headers.find("original-destination:/queue/catalog\n") != std::string::npos);
  CHECK(headers.ends_with("colour:blue\n"));
  CHECK(bench.queue("catalog").in_flight == 0);
  CHECK(bench.drain.figures().dead_lettered == 1);
  CHECK(bench.drain.figures().stored == 1);
  CHECK(bench.observer.lines.size() == 1);
}

TEST_CASE("when the database is in trouble everything goes back and nothing is taken") {
  Bench bench;
  for (const char* node : {"a", "b"})
    bench.send("catalog", catalog_body(node));
  bench.start();
  bench.wake();
  bench.send("catalog", catalog_body("c"));  // waits behind the round
  bench.fail("locked");
  CHECK(bench.queue("catalog").in_flight == 0);
  CHECK(bench.queue("catalog").waiting == 3);
  CHECK(bench.drain.figures().database_in_trouble);
  CHECK(bench.drain.figures().last_error == "locked");
  CHECK(bench.drain.figures().retries == 2);
  CHECK(bench.observer.lines == Lines{"trouble locked 250"});
  bench.send("catalog", catalog_body("d"));
  bench.wake();
  CHECK(bench.workshop.rounds.size() == 1);
}

TEST_CASE("what comes back to the queue was never seen by anybody") {
  Bench bench;
  bench.send("catalog", catalog_body("a"));
  bench.commit();
  bench.start();
  bench.wake();
  bench.fail("locked");
  bench.commit();
  CHECK(bench.journal.return_count() == 0);
}

TEST_CASE("the retry time doubles up to its bound, and trouble is told once a reason") {
  Bench bench;
  bench.send("catalog", catalog_body("a"));
  bench.start();
  bench.wake();
  auto expected = bench.options.retry_first;
  for (int i = 0; i < 10; ++i) {
    bench.fail(i < 9 ? "locked" : "gone");
    CHECK(bench.drain.idle());
    bench.advance(expected - 1ms);
    bench.wake();
    CHECK(bench.drain.idle());
    bench.advance(1ms);
    bench.wake();
    CHECK_FALSE(bench.drain.idle());
    expected = std::min(2 * expected, bench.options.retry_max);
  }
  CHECK(bench.observer.lines == Lines{"trouble locked 250", "trouble gone 30000"});
}

TEST_CASE("after trouble one message is tried first, and then all") {
  Bench bench;
  for (const char* node : {"a", "b", "c", "d"})
    bench.send("catalog", catalog_body(node));
  bench.start();
  bench.wake();
  bench.fail("locked");
  bench.advance(250ms);
  bench.wake();
  CHECK(bench.round_size() == 1);
  bench.work();
  CHECK(bench.observer.lines.back() == "recovery");
  CHECK_FALSE(bench.drain.figures().database_in_trouble);
  CHECK(bench.round_size() == 3);
  bench.work();
  CHECK(bench.drain.figures().stored == 4);
  CHECK(bench.store.catalogs.front().node == "a");
}

TEST_CASE("after trouble no message is taken before the database has answered") {
  Bench bench;
  bench.send("catalog", catalog_body("a"));
  bench.start();
  bench.wake();
  bench.fail("locked");
  bench.store.open_status = storage::Error{storage::ErrorCode::kBusy, "unreachable"};
  const std::size_t rounds = bench.workshop.rounds.size();
  bench.advance(bench.options.retry_first);
  CHECK(bench.workshop.rounds.size() == rounds + 1);
  CHECK(bench.workshop.rounds.back().items.empty());
  CHECK(bench.observer.lines.back() == "trouble unreachable 500");
  CHECK(bench.queue("catalog").in_flight == 0);
  bench.store.open_status = storage::kOk;
  bench.advance(2 * bench.options.retry_first);
  CHECK(bench.queue("catalog").in_flight == 1);
  CHECK(bench.drain.figures().database_in_trouble);
  bench.wake();
  bench.work();
  CHECK_FALSE(bench.drain.figures().database_in_trouble);
}

TEST_CASE("a question to the database that is answered after the stop changes nothing") {
  Bench bench;
  bench.send("catalog", catalog_body("a"));
  bench.start();
  bench.wake();
  bench.fail("locked");
  bench.now += bench.options.retry_first;
  bench.drain.on_time(bench.now);
  CHECK_FALSE(bench.drain.idle());
  bench.drain.stop();
  bench.work();
  CHECK(bench.drain.idle());
  CHECK(bench.queue("catalog").waiting == 1);
  CHECK_FALSE(bench.drain.next_event());
}

TEST_CASE("a poison message at the head does not count as the database's recovery") {
  Bench bench;
  bench.send("catalog", "poison");
  bench.send("catalog", catalog_body("a"));
  bench.start();
  bench.wake();
  bench.fail("locked");
  bench.advance(250ms);
  bench.wake();
  bench.work();
  CHECK(bench.drain.figures().dead_lettered == 1);
  CHECK(bench.drain.figures().database_in_trouble);
  bench.work();
  CHECK_FALSE(bench.drain.figures().database_in_trouble);
}

TEST_CASE("what was stored in a troubled round is acknowledged all the same") {
  Bench bench;
  for (const char* node : {"a", "b"})
    bench.send("catalog", catalog_body(node));
  bench.start();
  bench.wake();
  const auto second = bench.workshop.rounds[0].items[1].message->id.value;
  bench.store.answer_with(second, catalog::SaveStatus::kTransient, "locked");
  bench.work();
  CHECK(bench.queue("catalog").acknowledged == 1);
  CHECK(bench.queue("catalog").waiting == 1);
}

TEST_CASE("a suspect of an unclean exit goes alone") {
  const auto id = queue::MessageId::make(1, 2).value;  // the second message of this epoch
  Bench bench({{id, 2}});
  for (const char* node : {"a", "b", "c"})
    bench.send("catalog", catalog_body(node));
  bench.start();
  bench.wake();
  for (int i = 0; i < 3; ++i) {
    CHECK(bench.round_size() == 1);
    bench.work();
  }
  CHECK(bench.drain.figures().stored == 3);
  for (const char* node : {"d", "e"})
    bench.send("catalog", catalog_body(node));
  bench.wake();
  CHECK(bench.round_size() == 2);
}

TEST_CASE("a message that was in the drain at too many unclean exits is dead-lettered untouched") {
  const auto id = queue::MessageId::make(1, 1).value;
  Bench bench({{id, 3}});
  bench.send("catalog", catalog_body("a"));
  bench.send("catalog", catalog_body("b"));
  bench.start();
  bench.wake();
  bench.commit();
  const auto letters = bench.journal.stored("dead-letter");
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].message->header_block.starts_with("dead-letter-reason:crashed\n"));
  CHECK(bench.round_size() == 1);
  CHECK(bench.workshop.rounds.back().cleared == std::vector{id});
  bench.work();
  CHECK(bench.store.catalogs.at(0).node == "b");
}

TEST_CASE("somebody else at the catalog queue is told once") {
  Bench bench;
  bench.start();
  bench.advance(0ms);
  CHECK(bench.observer.lines.empty());
  testing::SilentPeer other;
  const auto peer = bench.router.attach(other);
  routing::SubscribeRequest request;
  request.peer = peer;
  request.destinations = {{routing::DestinationKind::kQueue, "catalog"}};
  const auto subscription = bench.router.subscribe(request);
  REQUIRE(subscription);
  bench.router.start_delivery(*subscription);
  for (int i = 0; i < 3; ++i)
    bench.advance(bench.options.competition_check);
  CHECK(bench.observer.lines == Lines{"contested catalog"});
  CHECK(bench.drain.figures().contested_queues == Lines{"catalog"});
  bench.router.detach(peer);
  bench.advance(bench.options.competition_check);
  CHECK(bench.drain.figures().contested_queues.empty());
}

TEST_CASE("after stop the round under way is still settled and nothing else is taken") {
  Bench bench;
  bench.send("catalog", catalog_body("a"));
  bench.start();
  bench.wake();
  bench.send("catalog", catalog_body("b"));
  bench.drain.stop();
  CHECK(bench.queue("catalog").in_flight == 1);
  CHECK(bench.queue("catalog").waiting == 1);
  CHECK_FALSE(bench.drain.idle());
  bench.work();
  CHECK(bench.drain.idle());
  CHECK(bench.queue("catalog").acknowledged == 1);
  CHECK(bench.queue("catalog").waiting == 1);
  CHECK_FALSE(bench.drain.next_event());
}

TEST_CASE("a drain that ends with a round under way counts as no delivery of its messages") {
  testing::FakeJournal journal;
  routing::Router router(journal, {}, journal.state());
  testing::SilentPeer producer;
  const auto peer = router.attach(producer);
  routing::Draft draft;
  draft.destination = "/queue/catalog";
  draft.body = catalog_body("a");
  REQUIRE(router.publish(peer, std::move(draft), 500, std::nullopt));
  NotedWorkshop workshop;
  NotedObserver observer;
  const DrainOptions options;
  for (int end = 0; end < 2; ++end) {
    Drain drain(router, workshop, observer, options, [] {});
    drain.start({}, 1000);
    drain.on_wake({}, 1000);
    CHECK_FALSE(workshop.rounds.back().items.empty());
    if (end == 0) drain.stop();
  }
  NextPeer next;
  routing::SubscribeRequest request;
  request.peer = router.attach(next);
  request.destinations = {{routing::DestinationKind::kQueue, "catalog"}};
  const auto subscription = router.subscribe(request);
  REQUIRE(subscription);
  router.start_delivery(*subscription);
  CHECK(next.redelivered == std::vector<bool>{false});
}

TEST_CASE("after stop a round that failed goes back to the queue") {
  Bench bench;
  bench.send("catalog", catalog_body("a"));
  bench.start();
  bench.wake();
  bench.drain.stop();
  bench.fail("locked");
  CHECK(bench.queue("catalog").waiting == 1);
}

TEST_CASE("the figures name the oldest catalog in the drain") {
  Bench bench;
  bench.start();
  CHECK_FALSE(bench.drain.figures().oldest_unstored_ms);
  bench.send("facts", facts_body("a"));
  bench.send("catalog", catalog_body("a"));
  bench.send("catalog", catalog_body("b"));
  CHECK(bench.drain.figures().oldest_unstored_ms == 501);
  CHECK(bench.drain.figures().in_drain == 3);
}

TEST_CASE("the figures tell since when a round is under way, and how late the last one came") {
  Bench bench;
  bench.start();
  bench.send("catalog", catalog_body("a"));
  CHECK_FALSE(bench.drain.figures().storing_since_ms);
  bench.wake();
  CHECK(bench.drain.figures().storing_since_ms == 1000);
  bench.work();
  CHECK_FALSE(bench.drain.figures().storing_since_ms);
  CHECK(bench.drain.figures().last_lag_ms == 1500);
}

TEST_CASE("the figures tell since when the database is in trouble, until it is over") {
  Bench bench;
  bench.start();
  bench.send("catalog", catalog_body("a"));
  bench.wake();
  bench.fail("locked");
  CHECK(bench.drain.figures().trouble_since_ms == 2000);
  bench.advance(bench.options.retry_first);
  bench.wake();
  bench.work();
  CHECK_FALSE(bench.drain.figures().trouble_since_ms);
}

TEST_CASE("warnings of a message reach the observer with the node") {
  Bench bench;
  bench.send("catalog", catalog_body("a"));
  bench.start();
  bench.wake();
  const auto id = bench.workshop.rounds[0].items[0].message->id.value;
  bench.store.answers[id].warnings = {"a title was cut"};
  bench.work();
  CHECK(bench.observer.lines == Lines{"warning a: a title was cut"});
}

#include "broker/control/desk.h"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/control/letter_run.h"
#include "broker/control/request.h"
#include "tests/support/fake_journal.h"
#include "tests/support/silent_peer.h"

using namespace stompbox;
using namespace stompbox::control;

namespace {

rapidjson::Document parse(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  REQUIRE_FALSE(document.HasParseError());
  REQUIRE(json.find('\n') == std::string::npos);
  return document;
}

// A peer that takes what it gets.
struct Taker final : routing::Consumer {
  void deliver(const routing::Delivery& delivery) override { taken.push_back(delivery); }
  void receipt_due(routing::ReceiptNumber) override {}
  void refused(routing::ReceiptNumber, const storage::Error&) override {}
  void too_slow(std::uint32_t) override {}
  void room_again() override {}
  std::vector<routing::Delivery> taken;
};

// Letters of the queues `shop.…` go to queues of their own.
routing::RoutingOptions with_letters_of_shops() {
  routing::RoutingOptions options;
  routing::PolicyRule shops;
  shops.pattern = "shop.>";
  shops.dead_letter_queue = "*.dead";
  options.policies = {shops};
  return options;
}

struct Bench {
  explicit Bench(routing::RoutingOptions options = {})
      : router(journal, std::move(options), journal.state()) {
    producer_id = router.attach(producer);
  }

  void send(const std::string& queue, const std::string& body,
            const std::string& header_block = "colour:blue\n") {
    routing::Draft draft;
    draft.destination = "/queue/" + queue;
    draft.header_block = header_block;
    draft.body = body;
    REQUIRE(router.publish(producer_id, std::move(draft), 500, std::nullopt));
  }
  // Sends a message to `queue` and has it die there.
  void let_die(const std::string& queue, const std::string& body) {
    Taker taker;
    const auto peer = router.attach(taker);
    routing::SubscribeRequest request;
    request.peer = peer;
    request.destinations = {{routing::DestinationKind::kQueue, queue}};
    request.ack_mode = routing::AckMode::kIndividual;
    request.credit = {1000, 1'000'000};
    const auto subscription = router.subscribe(request);
    REQUIRE(subscription);
    router.start_delivery(*subscription);
    send(queue, body);
    REQUIRE_FALSE(taker.taken.empty());
    REQUIRE(
        router.dead_letter(*subscription, taker.taken.back().id, {"unreadable", "not PSON"}, 600));
    router.detach(peer);
    commit();
  }
  void commit() { router.on_commit(journal.commit()); }
  // The answer, if it has come.
  std::optional<std::string> ask(const std::string& request) {
    answer.reset();
    desk.handle(request, [this](std::string json) { answer = std::move(json); });
    return answer;
  }
  // Lets the desk go on until nothing happens any more, with the journal committing.
  void run() {
    while (wakes > 0) {
      wakes = 0;
      desk.on_wake();
      commit();
    }
  }
  std::string ask_whole(const std::string& request) {
    ask(request);
    run();
    REQUIRE(answer);
    return *answer;
  }
  // The answer when the journal has committed, and loaded, all that it takes.
  std::string ask_after_commits(const std::string& request) {
    ask(request);
    for (int round = 0; round < 10 && !answer; ++round) {
      commit();
      for (auto& page : journal.take_pages())
        router.on_loaded(std::move(page));
    }
    REQUIRE(answer);
    return *answer;
  }
  std::uint64_t waiting(const std::string& queue) const {
    for (const auto& figures : router.queue_figures()) {
      if (figures.name == queue) return figures.waiting;
    }
    return 0;
  }
  std::string letter_id(std::size_t index) {
    const auto document = parse(*ask(R"({"verb":"dead-letters","action":"list"})"));
    return document["ok"]["messages"][static_cast<rapidjson::SizeType>(index)]["id"].GetString();
  }

  stompbox::testing::FakeJournal journal;
  routing::Router router;
  stompbox::testing::SilentPeer producer;
  routing::PeerId producer_id;
  std::int64_t now_ms = 10'000;
  int wakes = 0;
  std::optional<std::string> answer;
  Desk desk{router, nullptr,
            [] {
              ServerFacts facts;
              facts.version = "1.2.3";
              facts.store_identity = "queues";
              facts.listeners = {"tcp://127.0.0.1:61613"};
              return facts;
            },
            [this] { return now_ms; }, [this] { ++wakes; }};
};

}  // namespace

TEST_CASE("a request that is no JSON object with a verb is answered with a sentence") {
  Bench bench;
  for (const char* request : {"", "{", "[]", "{\"verb\":1}", "status", "{\"verb\":\"sing\"}"}) {
    const auto document = parse(*bench.ask(request));
    CHECK(document.HasMember("error"));
    CHECK_FALSE(document.HasMember("ok"));
  }
}

TEST_CASE("a line of sixty thousand brackets is refused and does no harm") {
  Bench bench;
  CHECK(parse(*bench.ask(std::string(60'000, '['))).HasMember("error"));
}

TEST_CASE("status tells the server's facts, the totals and the oldest unstored catalog") {
  Bench bench;
  bench.send("catalog", "x");
  bench.send("other", "y");
  const auto document = parse(*bench.ask(R"({"verb":"status"})"));
  const auto& ok = document["ok"];
  CHECK(ok["version"] == "1.2.3");
  CHECK(ok["now_ms"].GetInt64() == 10'000);
  CHECK(ok["listeners"][0] == "tcp://127.0.0.1:61613");
  CHECK(ok["queues"].GetUint64() == 2);
  CHECK(ok["messages"].GetUint64() == 2);
  CHECK(ok["catalogs_unstored"].GetUint64() == 1);
  CHECK(ok["oldest_unstored_ms"].GetInt64() == 500);
  CHECK(ok["drain"]["enabled"].GetBool() == false);
  CHECK(ok["routing"]["published"].GetUint64() == 2);
}

TEST_CASE("queues are told by name with their counts") {
  Bench bench;
  bench.send("b", "x");
  bench.send("a", "xx");
  bench.send("a", "xx");
  const auto document = parse(*bench.ask(R"({"verb":"queues"})"));
  const auto& queues = document["ok"]["queues"];
  REQUIRE(queues.Size() == 2);
  CHECK(queues[0]["name"] == "a");
  CHECK(queues[0]["waiting"].GetUint64() == 2);
  CHECK(queues[1]["name"] == "b");
}

TEST_CASE("browse looks at messages without taking them, page by page") {
  Bench bench;
  for (const char* body : {"one", "two", "three"})
    bench.send("a", body);
  const auto first =
      parse(*bench.ask(R"({"verb":"browse","queue":"a","count":2,"body_bytes":100})"));
  const auto& messages = first["ok"]["messages"];
  REQUIRE(messages.Size() == 2);
  CHECK(messages[0]["body"] == "one");
  CHECK(messages[0]["destination"] == "/queue/a");
  CHECK(messages[0]["headers"][0][0] == "colour");
  CHECK(messages[0]["headers"][0][1] == "blue");
  const std::string next = first["ok"]["next"].GetString();
  const auto second =
      parse(*bench.ask(R"({"verb":"browse","queue":"a","body_bytes":100,"from":")" + next + "\"}"));
  REQUIRE(second["ok"]["messages"].Size() == 1);
  CHECK(second["ok"]["messages"][0]["body"] == "three");
  CHECK(second["ok"]["next"].IsNull());
  CHECK(bench.waiting("a") == 3);
}

TEST_CASE("a browsed body is cut between characters, and given as base64 when it is no text") {
  Bench bench;
  bench.send("a", "K\xC3\xB6ln");
  bench.send("a", "\xFF\x00zz");
  const auto document = parse(*bench.ask(R"({"verb":"browse","queue":"a","body_bytes":2})"));
  const auto& messages = document["ok"]["messages"];
  CHECK(messages[0]["body"] == "K");
  CHECK(messages[0]["body_bytes"].GetUint64() == 5);
  CHECK(std::string(messages[1]["body_base64"].GetString()).size() == 4);
}

TEST_CASE("browsing a queue that is not there is told") {
  Bench bench;
  CHECK(parse(*bench.ask(R"({"verb":"browse","queue":"nope"})")).HasMember("error"));
  CHECK(parse(*bench.ask(R"({"verb":"browse"})")).HasMember("error"));
  bench.send("a", "x");
  CHECK(parse(*bench.ask(R"({"verb":"browse","queue":"a","from":"zz"})")).HasMember("error"));
}

TEST_CASE("without dead letters the list is empty and there is nothing to replay") {
  Bench bench;
  const auto list = parse(*bench.ask(R"({"verb":"dead-letters"})"));
  CHECK(list["ok"]["messages"].Size() == 0);
  const auto replay = parse(*bench.ask(R"({"verb":"dead-letters","action":"replay","all":true})"));
  CHECK(replay["ok"]["done"].GetUint64() == 0);
}

TEST_CASE("a replayed letter is the message that died, at its own destination") {
  Bench bench;
  bench.let_die("work", "body bytes");
  const auto answer =
      parse(bench.ask_whole(R"({"verb":"dead-letters","action":"replay","all":true})"));
  CHECK(answer["ok"]["done"].GetUint64() == 1);
  CHECK(bench.waiting("dead-letter") == 0);
  CHECK(bench.waiting("work") == 1);
  const auto replayed = bench.journal.stored("work").back().message;
  CHECK(replayed->body == "body bytes");
  CHECK(replayed->header_block == "colour:blue\n");
  CHECK(replayed->destination == "/queue/work");
}

TEST_CASE("replay by id takes those letters only, and the others are as before") {
  Bench bench;
  for (const char* body : {"1", "2", "3"})
    bench.let_die("work", body);
  const std::string id = bench.letter_id(1);
  const auto answer = parse(bench.ask_whole(R"({"verb":"dead-letters","action":"replay","ids":[")" +
                                            id + R"(","1-999999"]})"));
  CHECK(answer["ok"]["done"].GetUint64() == 1);
  CHECK(answer["ok"]["not_found"][0] == "1-999999");
  CHECK(bench.journal.stored("work").back().message->body == "2");
  CHECK(bench.waiting("dead-letter") == 2);
  CHECK(bench.journal.return_count() == 0);
}

TEST_CASE("dropped letters are gone") {
  Bench bench;
  for (const char* body : {"1", "2"})
    bench.let_die("work", body);
  const auto answer =
      parse(bench.ask_whole(R"({"verb":"dead-letters","action":"drop","all":true})"));
  CHECK(answer["ok"]["done"].GetUint64() == 2);
  CHECK(bench.waiting("dead-letter") == 0);
  CHECK(bench.waiting("work") == 0);
}

TEST_CASE("a replay is answered when it is on stable storage, not before") {
  Bench bench;
  bench.let_die("work", "x");
  bench.ask(R"({"verb":"dead-letters","action":"replay","all":true})");
  bench.desk.on_wake();
  CHECK_FALSE(bench.answer);
  CHECK(bench.desk.busy());
  bench.commit();
  bench.desk.on_wake();
  CHECK(bench.answer);
  CHECK_FALSE(bench.desk.busy());
}

TEST_CASE("a replay of more than the journal takes waits for what it has moved itself") {
  Bench bench;
  for (const char* body : {"1", "2", "3"})
    bench.let_die("work", body);
  bench.journal.set_extra_pending_bytes(routing::RoutingOptions{}.journal_bytes_max - 10);
  const auto answer =
      parse(bench.ask_whole(R"({"verb":"dead-letters","action":"replay","all":true})"));
  CHECK(answer["ok"]["done"].GetUint64() == 3);
  CHECK(answer["ok"]["failures"].Empty());
  CHECK(bench.waiting("dead-letter") == 0);
}

TEST_CASE("the list shows the letters of all dead-letter queues, the broker's own first") {
  Bench bench(with_letters_of_shops());
  for (const char* queue : {"shop.b", "work", "shop.a", "shop.b"})
    bench.let_die(queue, "x");
  bench.send("walk", "no letter");
  const auto list = parse(*bench.ask(R"({"verb":"dead-letters"})"));
  const auto& letters = list["ok"]["messages"];
  REQUIRE(letters.Size() == 4);
  CHECK(letters[0]["queue"] == "dead-letter");
  CHECK(letters[1]["queue"] == "shop.a.dead");
  CHECK(letters[2]["queue"] == "shop.b.dead");
  CHECK(letters[3]["queue"] == "shop.b.dead");
  CHECK(list["ok"]["next"].IsNull());
  const auto one = parse(*bench.ask(R"({"verb":"dead-letters","queue":"shop.b.dead"})"));
  CHECK(one["ok"]["messages"].Size() == 2);
  const auto none = parse(*bench.ask(R"({"verb":"dead-letters","queue":"shop.c.dead"})"));
  CHECK(none["ok"]["messages"].Empty());
}

TEST_CASE("a list of dead letters goes on where the one before ended, queue after queue") {
  Bench bench(with_letters_of_shops());
  for (const char* queue : {"work", "shop.a", "shop.b", "shop.b"})
    bench.let_die(queue, "x");
  std::string request = R"({"verb":"dead-letters","count":1})";
  std::vector<std::string> queues;
  for (int page = 0; page < 10 && !request.empty(); ++page) {
    const auto list = parse(*bench.ask(request));
    const auto& ok = list["ok"];
    REQUIRE(ok["messages"].Size() == 1);
    queues.emplace_back(ok["messages"][0]["queue"].GetString());
    request.clear();
    if (ok["next"].IsNull()) continue;
    request = std::string(R"({"verb":"dead-letters","count":1,"from":")") + ok["next"].GetString() +
              R"(","from_queue":")" + ok["next_queue"].GetString() + "\"}";
  }
  CHECK(queues ==
        std::vector<std::string>{"dead-letter", "shop.a.dead", "shop.b.dead", "shop.b.dead"});
}

TEST_CASE("a list of dead letters reads what is in the store only") {
  routing::RoutingOptions options = with_letters_of_shops();
  options.resident_count_max = 1;
  Bench bench(options);
  for (const char* queue : {"work", "work", "shop.a", "shop.a", "shop.a"})
    bench.let_die(queue, "x");
  const auto list = parse(bench.ask_after_commits(R"({"verb":"dead-letters"})"));
  CHECK(list["ok"]["messages"].Size() == 5);
}

TEST_CASE("a queue that takes no dead letters is not listed, replayed or dropped as one") {
  Bench bench(with_letters_of_shops());
  bench.send("work", "x");
  for (const char* rest :
       {R"(")", R"(","action":"replay","all":true)", R"(","action":"drop","all":true)"}) {
    const std::string end = std::string(rest) == "\"" ? "\"}" : std::string(rest) + "}";
    const auto document = parse(*bench.ask(R"({"verb":"dead-letters","queue":"work)" + end));
    REQUIRE(document.HasMember("error"));
    CHECK(document["error"] == "the queue 'work' takes no dead letters");
  }
  CHECK(bench.waiting("work") == 1);
}

TEST_CASE("letters are replayed and dropped by their ids wherever they are") {
  Bench bench(with_letters_of_shops());
  for (const char* queue : {"work", "shop.a", "shop.b"})
    bench.let_die(queue, queue);
  const std::string own = bench.letter_id(0), a = bench.letter_id(1), b = bench.letter_id(2);
  const auto replayed = parse(bench.ask_whole(
      R"({"verb":"dead-letters","action":"replay","ids":[")" + b + R"(","1-999999"]})"));
  CHECK(replayed["ok"]["done"].GetUint64() == 1);
  CHECK(replayed["ok"]["not_found"][0] == "1-999999");
  CHECK(bench.waiting("shop.b") == 1);
  const auto dropped = parse(bench.ask_whole(R"({"verb":"dead-letters","action":"drop","ids":[")" +
                                             own + R"(",")" + a + R"("]})"));
  CHECK(dropped["ok"]["done"].GetUint64() == 2);
  CHECK(dropped["ok"]["not_found"].Empty());
}

TEST_CASE("all letters are those of all dead-letter queues, or of the one that is named") {
  Bench bench(with_letters_of_shops());
  for (const char* queue : {"work", "shop.a", "shop.a", "shop.b"})
    bench.let_die(queue, "x");
  const auto one = parse(bench.ask_whole(
      R"({"verb":"dead-letters","action":"replay","all":true,"queue":"shop.a.dead"})"));
  CHECK(one["ok"]["done"].GetUint64() == 2);
  CHECK(bench.waiting("shop.a") == 2);
  CHECK(bench.waiting("dead-letter") == 1);
  const auto all = parse(bench.ask_whole(R"({"verb":"dead-letters","action":"drop","all":true})"));
  CHECK(all["ok"]["done"].GetUint64() == 2);
  CHECK(bench.waiting("dead-letter") + bench.waiting("shop.b.dead") == 0);
}

TEST_CASE("a letter that dies into a later queue is not replayed there a second time") {
  Bench bench(with_letters_of_shops());
  bench.send("dead-letter", "on", "original-destination:/queue/shop.a.dead\n");
  bench.let_die("shop.a", "off");
  const auto answer =
      parse(bench.ask_whole(R"({"verb":"dead-letters","action":"drop","ids":["1-999999"]})"));
  CHECK(answer["ok"]["looked_at"].GetUint64() == 2);
  const auto replayed =
      parse(bench.ask_whole(R"({"verb":"dead-letters","action":"replay","all":true})"));
  CHECK(replayed["ok"]["done"].GetUint64() == 2);
  CHECK(replayed["ok"]["failures"].Empty());
  CHECK(bench.waiting("shop.a.dead") == 1);
  CHECK(bench.waiting("shop.a") == 1);
}

TEST_CASE("a run does not wait for letters that another consumer has taken meanwhile") {
  routing::RoutingOptions options = with_letters_of_shops();
  options.resident_count_max = 1;
  Bench bench(options);
  for (const char* queue : {"work", "work", "work", "shop.a"})
    bench.let_die(queue, "x");
  Taker taker;
  routing::SubscribeRequest request;
  request.peer = bench.router.attach(taker);
  request.destinations = {{routing::DestinationKind::kQueue, "dead-letter"}};
  request.ack_mode = routing::AckMode::kIndividual;
  request.credit = {1, 1'000'000};
  const auto other = bench.router.subscribe(request);
  REQUIRE(other);
  bench.router.start_delivery(*other);
  REQUIRE(taker.taken.size() == 1);
  bench.ask(R"({"verb":"dead-letters","action":"drop","all":true})");
  REQUIRE(bench.router.acknowledge(*other, taker.taken[0].id, routing::Reach::kOne, {}));
  const auto settle = [&bench] {
    for (int round = 0; round < 10; ++round) {
      bench.commit();
      for (auto& page : bench.journal.take_pages())
        bench.router.on_loaded(std::move(page));
      bench.run();
    }
  };
  settle();
  REQUIRE(taker.taken.size() == 2);
  REQUIRE_FALSE(bench.answer);
  bench.desk.on_tick();
  settle();
  REQUIRE(bench.answer);
  CHECK(parse(*bench.answer)["ok"]["done"].GetUint64() == 2);
  CHECK(bench.waiting("shop.a.dead") == 0);
}

TEST_CASE("a letter that nobody can send back stays and is told") {
  Bench bench;
  bench.send("dead-letter", "put here by hand");
  const auto answer =
      parse(bench.ask_whole(R"({"verb":"dead-letters","action":"replay","all":true})"));
  CHECK(answer["ok"]["done"].GetUint64() == 0);
  CHECK(answer["ok"]["failures"].Size() == 1);
  CHECK(bench.waiting("dead-letter") == 1);
}

TEST_CASE("a letter that dies again at once is not replayed in a circle") {
  Bench bench;
  bench.send("dead-letter", "dies where the dead are", "original-destination:/queue/dead-letter\n");
  bench.commit();
  const auto answer =
      parse(bench.ask_whole(R"({"verb":"dead-letters","action":"replay","all":true})"));
  CHECK(answer["ok"]["done"].GetUint64() == 1);
  CHECK(bench.waiting("dead-letter") == 1);
}

TEST_CASE("a replay that gets stuck ends at its deadline and gives everything back") {
  Bench bench;
  bench.let_die("work", "x");
  bench.ask(R"({"verb":"dead-letters","action":"replay","all":true})");
  bench.desk.on_wake();
  bench.now_ms += 30'000;
  bench.desk.on_tick();
  REQUIRE(bench.answer);
  CHECK(parse(*bench.answer)["ok"]["failures"].Size() == 1);
  CHECK_FALSE(bench.desk.busy());
}

TEST_CASE("one replay or drop at a time, and only of letters that are named") {
  Bench bench;
  bench.let_die("work", "x");
  CHECK(parse(*bench.ask(R"({"verb":"dead-letters","action":"drop"})")).HasMember("error"));
  CHECK(parse(*bench.ask(R"({"verb":"dead-letters","action":"drop","ids":["x"]})"))
            .HasMember("error"));
  CHECK(parse(*bench.ask(R"({"verb":"dead-letters","action":"burn"})")).HasMember("error"));
  bench.ask(R"({"verb":"dead-letters","action":"replay","all":true})");
  CHECK(parse(*bench.ask(R"({"verb":"dead-letters","action":"replay","all":true})"))
            .HasMember("error"));
}

TEST_CASE("reviving takes away what the death added and nothing else") {
  queue::Message letter;
  letter.header_block =
      "dead-letter-reason:unreadable\ndead-letter-detail:a\\cb\noriginal-destination:/queue/a\n"
      "original-message-id:1-2\noriginal-destination:/queue/of-the-sender\nx:\\n\n";
  const auto draft = revive(letter, 1000);
  REQUIRE(draft);
  CHECK(draft->destination == "/queue/a");
  CHECK(draft->header_block == "original-destination:/queue/of-the-sender\nx:\\n\n");
  CHECK_FALSE(draft->block_is_plain);
}

TEST_CASE("a revived message has the priority and the group that it had") {
  queue::Message letter;
  letter.header_block =
      "dead-letter-reason:rejected\noriginal-destination:/queue/a\npriority:9\nJMSXGroupID:g\n";
  const auto urgent = revive(letter, 1000);
  REQUIRE(urgent);
  CHECK(urgent->priority == queue::PriorityClass{0});
  CHECK(urgent->has_group);
  letter.header_block = "dead-letter-reason:rejected\noriginal-destination:/queue/a\n";
  CHECK(revive(letter, 1000)->priority == queue::PriorityClass{});
  CHECK_FALSE(revive(letter, 1000)->has_group);
}

TEST_CASE("a revived message keeps its date of expiry until that has passed, then it has none") {
  queue::Message letter;
  letter.header_block =
      "dead-letter-reason:expired\noriginal-destination:/queue/a\n"
      "original-expires:5000\nexpires:5000\n";
  CHECK(revive(letter, 4999)->expires_ms == 5000);
  CHECK(revive(letter, 5000)->expires_ms == 0);
  letter.header_block =
      "dead-letter-reason:rejected\noriginal-destination:/queue/a\n"
      "x:of the sender\noriginal-expires:5000\n";
  CHECK(revive(letter, 1)->expires_ms == 0);
}

TEST_CASE("a replayed message is the one that it was: its id and its time of arrival") {
  Bench bench;
  bench.let_die("work", "x");
  const auto letter = bench.journal.stored("dead-letter").front().message;
  CHECK(letter->arrived_ms == 500);
  bench.send("work", "later");
  bench.commit();
  bench.ask_whole(R"({"verb":"dead-letters","action":"replay","all":true})");
  const auto in_work = bench.journal.stored("work");
  REQUIRE(in_work.size() == 2);
  CHECK(in_work.back().message->body == "x");
  CHECK(in_work.back().message->id == letter->id);
  CHECK(in_work.back().message->id < in_work.front().message->id);
  CHECK(in_work.back().message->arrived_ms == 500);
}

TEST_CASE("a message id reads back as it is shown") {
  const auto id = queue::MessageId::make(12, 345);
  CHECK(to_text(id) == "12-345");
  CHECK(parse_message_id("12-345") == id);
  for (const char* text : {"", "-", "1-", "-1", "a-1", "1-2-3", "99999999999-1", "1 -2"}) {
    CHECK_FALSE(parse_message_id(text));
  }
}

TEST_CASE("a purge tells how many messages of which queue are gone") {
  Bench bench;
  for (const char* queue : {"work.a", "work.a", "work.b", "rest"})
    bench.send(queue, "x");
  bench.commit();
  const auto one = parse(bench.ask_after_commits(R"({"verb":"purge","queue":"work.b"})"));
  CHECK(one["ok"]["messages"].GetUint64() == 1);
  CHECK(one["ok"]["queues"][0]["name"].GetString() == std::string("work.b"));
  const auto many = parse(bench.ask_after_commits(R"({"verb":"purge","pattern":"work.>"})"));
  CHECK(many["ok"]["messages"].GetUint64() == 2);
  CHECK(many["ok"]["failures"].Empty());
  CHECK(bench.waiting("work.a") == 0);
  CHECK(bench.waiting("rest") == 1);
}

TEST_CASE("a purge by a pattern that nothing matches purges nothing, and says so") {
  Bench bench;
  const auto none = parse(bench.ask_after_commits(R"({"verb":"purge","pattern":"no.such"})"));
  CHECK(none["ok"]["messages"].GetUint64() == 0);
  CHECK(none["ok"]["queues"].Empty());
}

TEST_CASE("messages move to another queue, as many as are asked for") {
  Bench bench;
  for (int i = 0; i < 3; ++i)
    bench.send("work", "x");
  bench.commit();
  const auto moved =
      parse(bench.ask_after_commits(R"({"verb":"move","from":"work","to":"later","count":2})"));
  CHECK(moved["ok"]["messages"].GetUint64() == 2);
  CHECK(bench.waiting("work") == 1);
  CHECK(bench.waiting("later") == 2);
}

TEST_CASE("a deleted queue and a reset broker hold nothing") {
  Bench bench;
  bench.send("work", "x");
  bench.send("rest", "x");
  bench.commit();
  const auto gone = parse(bench.ask_after_commits(R"({"verb":"delete","queue":"work"})"));
  CHECK(gone["ok"]["messages"].GetUint64() == 1);
  const auto empty = parse(bench.ask_after_commits(R"({"verb":"reset"})"));
  CHECK(empty["ok"]["messages"].GetUint64() == 1);
  bench.commit();
  CHECK(bench.waiting("rest") == 0);
  CHECK(bench.journal.state().queues.empty());
}

TEST_CASE("the newest message's id says what has come by now, waiting or not") {
  Bench bench;
  const auto before = parse(*bench.ask(R"({"verb":"newest"})"));
  CHECK(before["ok"]["store"] == "queues");
  bench.send("work", "x");
  const auto after = parse(*bench.ask(R"({"verb":"newest"})"));
  CHECK(after["ok"]["newest"].GetUint64() == before["ok"]["newest"].GetUint64() + 1);
}

TEST_CASE("an order that names too little or too much is answered with a sentence") {
  Bench bench;
  for (const char* request :
       {R"({"verb":"purge"})", R"({"verb":"purge","queue":"a","pattern":"b"})",
        R"({"verb":"move","from":"a"})", R"({"verb":"move","from":"a","to":"a"})",
        R"({"verb":"move","from":"a","to":"/nowhere/b"})", R"({"verb":"delete"})"}) {
    CAPTURE(request);
    CHECK(parse(*bench.ask(request)).HasMember("error"));
  }
}

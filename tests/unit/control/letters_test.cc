#include <doctest/doctest.h>

#include <string>

#include "broker/control/desk.h"
#include "broker/control/letter_run.h"
#include "tests/unit/control/desk_bench.h"

using namespace stompbox;
using namespace stompbox::control;
using namespace stompbox::control::test;

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

TEST_CASE("a list of dead letters goes on behind a queue that has become empty meanwhile") {
  Bench bench(with_letters_of_shops());
  for (const char* queue : {"work", "shop.a", "shop.c"})
    bench.let_die(queue, "x");
  const auto list = parse(
      *bench.ask(R"({"verb":"dead-letters","count":1,"from":"5.2","from_queue":"shop.b.dead"})"));
  REQUIRE(list["ok"]["messages"].Size() == 1);
  CHECK(list["ok"]["messages"][0]["queue"] == "shop.c.dead");
  CHECK(list["ok"]["next"].IsNull());
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

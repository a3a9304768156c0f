#include "broker/control/desk.h"

#include <doctest/doctest.h>

#include <string>

#include "broker/control/request.h"
#include "tests/unit/control/desk_bench.h"

using namespace stompbox;
using namespace stompbox::control;
using namespace stompbox::control::test;

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

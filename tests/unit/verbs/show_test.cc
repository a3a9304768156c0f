#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <string>

#include "broker/verbs/ask_broker.h"
#include "broker/verbs/catalogs.h"
#include "broker/verbs/dead_letters.h"
#include "broker/verbs/progress.h"
#include "broker/verbs/queues.h"
#include "broker/verbs/receive.h"
#include "broker/verbs/send.h"
#include "broker/verbs/status.h"
#include "broker/verbs/table.h"

using namespace stompbox;
using namespace stompbox::verbs;

namespace {

rapidjson::Document parse(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  REQUIRE_FALSE(document.HasParseError());
  return document;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* kStatus = R"({"now_ms":100000,"version":"1.2.3","started_ms":40000,
  "data_folder":"./var","store":"LevelDB","catalog_store":"SQLite ./var/catalogs.sqlite",
  "listeners":["tcp://127.0.0.1:61613","tcp://[::1]:61613"],"connections":2,
  "connections_total":7,"queues":1,"messages":3,"message_bytes":2048,"dead_letters":4,
  "catalogs_unstored":3,"oldest_unstored_ms":95000,"routing":{"disk_full":false},
  "drain":{"enabled":true,"stored":5,"unchanged":6,"superseded":7,"facts_stored":8,
  "retries":9,"last_stored_ms":40000,"last_lag_ms":3000,"trouble_since_ms":70000,
  "storing_since_ms":80000,"database_in_trouble":true,"last_error":"database is locked",
  "contested_queues":["catalog"]}})";

}  // namespace

TEST_CASE("the status tells what an operator asks first") {
  const std::string text = show_status(parse(kStatus));
  for (const char* part :
       {"1.2.3, up 60 s", "tcp://127.0.0.1:61613, tcp://[::1]:61613", "2 now, 7 since start",
        "1 queue, 3 messages, 2.0 KiB", "3 catalogs not stored yet, the oldest for 5 s",
        "5 stored, 6 unchanged, 7 superseded, 8 facts",
        "TROUBLE       database is locked (for 30 s)", "60 s ago, 3 s after it came",
        "the database has been at it for 20 s", "9 messages tried again",
        "somebody else takes messages from catalog"}) {
    CAPTURE(part);
    CHECK(has(text, part));
  }
}

TEST_CASE("the status tells what policies have given up, and is silent where they have not") {
  CHECK_FALSE(has(show_status(parse(kStatus)), "lost"));
  CHECK(
      has(show_status(parse(R"({"routing":{"topic_dropped":12},"messages_dropped":1})")),
          "lost          12 messages to slow topic subscribers, 1 message of full queues, since"));
  CHECK(has(show_status(parse(R"({"messages_dropped":3})")), "lost          3 messages of full"));
}

TEST_CASE("a status of an older broker with less in it is shown as far as it goes") {
  CHECK(has(show_status(parse("{}")), "not stored by this broker"));
}

TEST_CASE("health is read out of a status answer") {
  const Health health = health_in(parse(kStatus));
  CHECK(health.catalogs_unstored == 3);
  CHECK(health.oldest_seconds == 5);
  CHECK(health.dead_letters == 4);
  CHECK(health.database_in_trouble);
  CHECK(health.contested);
  CHECK(health.last_error == "database is locked");
}

TEST_CASE("queues are a table, and their absence a sentence") {
  const auto ok = parse(R"({"now_ms":9000,"queues":[{"name":"catalog","waiting":3,"in_flight":1,
    "consumers":2,"bytes":1024,"enqueued":9,"acknowledged":5,"expired":30,"dropped":4,
    "oldest_arrived_ms":6000}]})");
  const std::string text = show_queues(ok);
  CHECK(has(text, "QUEUE    WAITING  IN FLIGHT"));
  CHECK(has(text, "1.0 KiB"));
  CHECK(has(text, "5    34     3 s\n"));
  CHECK(show_queues(parse(R"({"queues":[]})")) == "There are no queues yet.\n");
}

TEST_CASE("a browsed page shows each message in one line and how to go on") {
  const auto ok = parse(R"({"messages":[{"id":"1-2","arrived_ms":1,"body_bytes":900,
    "deliveries":2,"in_flight":true,"body":"line one\nline two"}],"next":"5.9"})");
  const std::string text = show_browse(ok);
  CHECK(has(text, "1-2"));
  CHECK(has(text, "in flight  line one line two ..."));
  CHECK(has(text, "--from 5.9"));
  CHECK(show_browse(parse(R"({"messages":[],"next":null})")) == "The queue is empty.\n");
}

TEST_CASE("dead letters show why they died and where they came from") {
  const auto ok = parse(R"({"messages":[{"id":"1-2","queue":"shop.dead","arrived_ms":1,
    "body_bytes":9,"headers":[["dead-letter-reason","unreadable"],["dead-letter-detail","not PSON"],
    ["original-destination","/queue/catalog"],["dead-letter-reason","older"]]}],"next":null})");
  const std::string text = show_letters(ok);
  CHECK(has(text, "QUEUE"));
  CHECK(has(text, "1-2  shop.dead  "));
  CHECK(has(text, "unreadable  /queue/catalog"));
  CHECK(has(text, "not PSON"));
  CHECK_FALSE(has(text, "older"));
  CHECK(show_letters(parse(R"({"messages":[]})")) == "There are no dead letters.\n");
}

TEST_CASE("a dead letter shows when it died, not when it arrived") {
  const auto ok = parse(R"({"messages":[{"id":"1-2","arrived_ms":1,"body_bytes":9,"headers":[
    ["dead-letter-time","1769868549123"]]}],"next":null})");
  CHECK(has(show_letters(ok), show_time(1'769'868'549'123)));
}

TEST_CASE("nodes, resources and facts are the same in table and JSON") {
  catalog::NodeRow node;
  node.name = "web1";
  node.resource_count = 12;
  CHECK(has(show_nodes({node}, 0), "web1  -            -   -               -    -         12"));
  CHECK(parse(nodes_json({node}, 0))[0]["resources"].GetInt64() == 12);
  CHECK(parse(nodes_json({node}, 0))[0]["age_ms"].IsNull());
  node.last_compile = "2026-01-31 14:05:09.123456";
  node.lag_ms = 250;
  const std::int64_t later = unix_ms_of(node.last_compile).value() + 3 * 60'000;
  CHECK(has(show_nodes({node}, later), "2026-01-31 14:05:09  3 min  250 ms"));
  CHECK(parse(nodes_json({node}, later))[0]["age_ms"].GetInt64() == 180'000);
  catalog::ResourceRow resource;
  resource.node = "web1";
  resource.type = "File";
  resource.title = "/etc/motd";
  resource.file = "site.pp";
  resource.line = 3;
  resource.exported = true;
  resource.parameters = {{"mode", {"0644"}}};
  CHECK(has(show_resources({resource}), "File[/etc/motd]  yes       site.pp:3"));
  CHECK(parse(resources_json({resource}))[0]["parameters"]["mode"][0] == "0644");
  CHECK(has(show_facts({{"kernel", {"Linux"}}}), "kernel  Linux"));
  CHECK(parse(facts_json({{"kernel", {"Linux"}}}))["kernel"][0] == "Linux");
}

TEST_CASE("changes are told with their age, and how many are not told") {
  using Kind = catalog::NodeChanges::Kind;
  catalog::ChangesRow row;
  CHECK(has(show_changes("web1", row, 0), "not known"));
  row.last_compile = row.changed_at = "2026-01-31 14:05:09";
  row.changes.added_count = 40;
  row.changes.changed_count = 1;
  row.changes.changes = {{Kind::kChanged, "File", "/etc/motd", {"mode", "owner"}, true, false}};
  const std::int64_t later = unix_ms_of(row.changed_at).value() + 5000;
  const std::string text = show_changes("web1", row, later);
  CHECK(has(text, "(2026-01-31 14:05:09, 5 s ago): 40 added, 0 removed, 1 changed."));
  CHECK(has(text, "changed  File[/etc/motd]  mode, owner, (tags)"));
  CHECK(has(text, "and 40 more resources\n"));
  CHECK(parse(changes_json("web1", row))["changed_by_last"].GetBool());
  row.last_compile = "2026-01-31 15:00:00";
  CHECK(has(show_changes("web1", row, later), "(2026-01-31 15:00:00) changed nothing"));
  CHECK_FALSE(parse(changes_json("web1", row))["changed_by_last"].GetBool());
}

TEST_CASE("progress tells how far the work is and how long it will last") {
  ProgressState state{"checking", "nodes", 1230, 3000, std::chrono::seconds(10)};
  CHECK(progress_line(state) ==
        "checking  [########------------]  41 %  1,230 of 3,000 nodes, 14 s left");
  state.done = 3000;
  CHECK(progress_line(state) == "checking  [####################]  100 %  3,000 of 3,000 nodes");
  state.total = 0;
  CHECK(progress_line(state) == "checking  3,000 nodes");
}

TEST_CASE("a type may be written in lower case") {
  CHECK(capitalise_type("file") == "File");
  CHECK(capitalise_type("apache::vhost") == "Apache::Vhost");
  CHECK(capitalise_type("Apache::Vhost") == "Apache::Vhost");
  CHECK(capitalise_type("").empty());
}

TEST_CASE("parameters and headers are cut at the first separator") {
  CHECK(parse_parameter("a=b=c")->value == "b=c");
  CHECK(parse_parameter("a!=b")->name == "a");
  CHECK(parse_parameter("a!=b")->holds == catalog::ParameterTest::Holds::kOther);
  CHECK_FALSE(parse_parameter("!=b"));
  CHECK_FALSE(parse_parameter("=b"));
  CHECK_FALSE(parse_parameter("a"));
  const auto headers = parse_headers({"a:b:c", "empty:"});
  REQUIRE(headers);
  CHECK((*headers)[0].second == "b:c");
  CHECK((*headers)[1].second.empty());
  CHECK_FALSE(parse_headers({"nothing"}));
  CHECK_FALSE(parse_headers({":x"}));
  CHECK_FALSE(parse_headers({"receipt:1"}));
}

TEST_CASE("a bare name is a queue") {
  CHECK(full_destination("work") == "/queue/work");
  CHECK(full_destination("/topic/news") == "/topic/news");
}

TEST_CASE("a message is shown as body, with headers, or as a line of JSON") {
  protocol::Frame message;
  message.headers.add("message-id", "1-2");
  message.body = "hello";
  CHECK(show_message(message, MessageOutput::kBody) == "hello\n");
  CHECK(show_message(message, MessageOutput::kHeadersAndBody) == "message-id: 1-2\n\nhello\n");
  CHECK(parse(show_message(message, MessageOutput::kJson))["body"] == "hello");
  message.body = "\xFF";
  CHECK(parse(show_message(message, MessageOutput::kJson))["body_base64"] == "/w==");
}

#include "broker/stomp_source.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace stompbox;
using namespace std::chrono_literals;

namespace {

const std::string kNul("\0", 1);
const std::string kRabbit =
    "CONNECTED\nserver:RabbitMQ/3.10.8\nheart-beat:0,0\nversion:1.2\n\n" + kNul;

struct NotedTaker final : drain::Taker {
  void take(const drain::Arriving& arriving) override { taken.push_back(arriving); }
  void gone(std::uint64_t item) override { lost.push_back(item); }
  std::vector<drain::Arriving> taken;
  std::vector<std::uint64_t> lost;
};

struct NotedObserver final : SourceObserver {
  void on_source_open(const client::BrokerUrl& broker, const client::Dialogue::Opened&) override {
    lines.push_back("open " + broker.host);
  }
  void on_source_lost(const client::BrokerUrl& broker, const storage::Error& why,
                      std::chrono::milliseconds retry_in) override {
    lines.push_back("lost " + broker.host + " " + std::to_string(retry_in.count()) + " " +
                    why.text);
  }
  void on_handed_back(std::size_t messages) override {
    lines.push_back("handed back " + std::to_string(messages));
  }
  std::vector<std::string> lines;
};

// A source whose socket is the test.
struct Bench {
  explicit Bench(StompSourceOptions options = {})
      : source(filled(options), observer, [this] { ++wakes; }) {
    source.attach(taker);
  }
  static StompSourceOptions filled(StompSourceOptions options) {
    options.brokers = {{"mq1", "61613"}, {"mq2", "61613"}};
    return options;
  }
  void subscribe(std::size_t count = 4, std::size_t bytes = 1'000'000) {
    REQUIRE(source.subscribe(0, "/queue/catalog", {count, bytes}));
  }
  std::string open(const std::string& connected = kRabbit) {
    const auto* const broker = source.wants_connection(now);
    REQUIRE(broker != nullptr);
    source.connecting();
    CHECK(source.wants_connection(now) == nullptr);
    source.connected(now);
    std::string said = out();
    source.came(connected, now, wall_ms);
    return said + advance();
  }
  std::string advance() {
    source.advance(now, wall_ms);
    return out();
  }
  std::string out() {
    std::string text = source.take_output();
    std::replace(text.begin(), text.end(), '\0', '@');
    return text;
  }
  void message(const std::string& id, const std::string& body = "{}",
               const std::string& more = "") {
    source.came("MESSAGE\nsubscription:0\ndestination:/queue/catalog\nmessage-id:" + id +
                    "\nack:" + id + "\nredelivered:false\n" + more +
                    "content-length:" + std::to_string(body.size()) + "\n\n" + body + kNul,
                now, wall_ms);
    source.advance(now, wall_ms);
  }
  std::uint64_t item(std::size_t index) const { return taker.taken.at(index).item; }

  client::Dialogue::TimePoint now{};
  std::int64_t wall_ms = 1'700'000'000'000;
  NotedTaker taker;
  NotedObserver observer;
  int wakes = 0;
  StompSource source;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const routing::DeadLetterReason kUnreadable{"unreadable", "it is no catalog"};

}  // namespace

TEST_CASE("it connects when there is something to subscribe to, and asks for its window") {
  Bench bench;
  CHECK(bench.source.wants_connection(bench.now) == nullptr);
  bench.subscribe();
  const std::string said = bench.open();
  CHECK(said.starts_with("CONNECT\n"));
  CHECK(has(said, "destination:/queue/catalog\nack:client-individual\nprefetch-count:4\n"));
  CHECK(bench.source.figures().connected);
}

TEST_CASE("a message is acknowledged when it is done, and not before") {
  Bench bench;
  bench.subscribe();
  bench.open();
  bench.message("m1", "body", "colour:blue\n");
  REQUIRE(bench.taker.taken.size() == 1);
  const queue::Message& message = *bench.taker.taken[0].message;
  CHECK(message.body == "body");
  CHECK(message.header_block == "colour:blue\n");
  CHECK(message.destination == "/queue/catalog");
  CHECK(message.arrived_ms == bench.wall_ms);
  CHECK(bench.out().empty());
  bench.source.done(bench.item(0));
  CHECK(bench.wakes > 0);
  CHECK(bench.out() == "ACK\nid:m1\n\n@");
}

TEST_CASE("no more than the credit is with the drain, however much a broker sends") {
  Bench bench;
  bench.subscribe(2);
  bench.open();
  for (const char* id : {"a", "b", "c", "d", "e"})
    bench.message(id);
  CHECK(bench.taker.taken.size() == 2);
  CHECK_FALSE(bench.source.wants_input());
  bench.source.done(bench.item(0));
  bench.advance();
  CHECK(bench.taker.taken.size() == 3);
  bench.source.done(bench.item(1));
  bench.source.done(bench.item(2));
  bench.advance();
  CHECK(bench.taker.taken.size() == 5);
  CHECK(bench.source.wants_input());
}

TEST_CASE("what is beyond the bound on bytes is not read") {
  StompSourceOptions options;
  options.held_bytes_max = 1000;
  Bench bench(options);
  bench.subscribe(100);
  bench.open();
  bench.message("a", std::string(2000, 'x'));
  CHECK_FALSE(bench.source.wants_input());
  bench.source.done(bench.item(0));
  CHECK(bench.source.wants_input());
}

TEST_CASE("what is given back is held, in its place, and offered again when there is credit") {
  Bench bench;
  bench.subscribe(2);
  bench.open();
  for (const char* id : {"a", "b", "c"})
    bench.message(id, id);
  bench.source.set_credit(0, {0, 0});
  bench.source.give_back(bench.item(1));
  bench.source.give_back(bench.item(0));
  CHECK(bench.advance().empty());
  CHECK(bench.taker.taken.size() == 2);
  bench.source.set_credit(0, {2, 1'000'000});
  bench.advance();
  REQUIRE(bench.taker.taken.size() == 4);
  CHECK(bench.taker.taken[2].message->body == "a");
  CHECK(bench.taker.taken[3].message->body == "b");
  CHECK(bench.item(2) > bench.item(1));
}

TEST_CASE("a dead letter is kept by the broker before the message is acknowledged") {
  Bench bench;
  bench.subscribe();
  bench.open();
  const std::string body("\xff\0{", 3);
  bench.message("m1", body, "colour:a\\cb\nexpires:5\n");
  CHECK(bench.source.dead_letter(bench.item(0), kUnreadable, bench.wall_ms));
  CHECK(bench.out() ==
        "SEND\ncontent-length:3\ndestination:/queue/DLQ.catalog\nreceipt:1\n"
        "dead-letter-reason:unreadable\ndead-letter-detail:it is no catalog\n"
        "original-destination:/queue/catalog\npersistent:true\noriginal-arrival:1700000000000-1\n"
        "colour:a\\cb\n\n\xff@{@");
  bench.source.came("RECEIPT\nreceipt-id:1\n\n" + kNul, bench.now, bench.wall_ms);
  CHECK(bench.advance() == "ACK\nid:m1\n\n@");
  CHECK(bench.source.figures().letters == 1);
}

TEST_CASE("dead letters go where they are told to, at a stompbox to its own queue") {
  StompSourceOptions options;
  options.dead_letters = "/queue/bad";
  Bench told(options);
  told.subscribe();
  told.open();
  told.message("a");
  CHECK(told.source.dead_letter(told.item(0), kUnreadable, 0));
  CHECK(has(told.out(), "destination:/queue/bad\n"));
  Bench ours;
  ours.subscribe();
  ours.open("CONNECTED\nserver:stompbox\nversion:1.2\n\n" + kNul);
  ours.message("a");
  CHECK(ours.source.dead_letter(ours.item(0), kUnreadable, 0));
  CHECK(has(ours.out(), "destination:/queue/dead-letter\n"));
}

TEST_CASE("a connection that breaks voids all deliveries, and what is said of them later") {
  Bench bench;
  bench.subscribe(2);
  bench.open();
  for (const char* id : {"a", "b", "c"})
    bench.message(id);
  bench.source.lost({storage::ErrorCode::kUnavailable, "broken"}, bench.now);
  CHECK(bench.taker.lost == std::vector<std::uint64_t>{bench.item(0), bench.item(1)});
  bench.open();
  bench.source.done(bench.item(0));
  bench.source.give_back(bench.item(1));
  CHECK(bench.source.dead_letter(bench.item(1), kUnreadable, 0));
  CHECK(bench.advance().empty());
  bench.message("a");
  CHECK(bench.taker.taken.size() == 3);
  CHECK(bench.item(2) > bench.item(1));
}

TEST_CASE("brokers are tried in order, and the first again after one that was of use") {
  Bench bench;
  bench.subscribe();
  const auto refuse = [&bench] {
    bench.source.connecting();
    bench.source.lost({storage::ErrorCode::kUnavailable, "refused"}, bench.now);
  };
  REQUIRE(bench.source.wants_connection(bench.now)->host == "mq1");
  refuse();
  REQUIRE(bench.source.wants_connection(bench.now)->host == "mq2");
  refuse();
  CHECK(bench.source.wants_connection(bench.now) == nullptr);
  CHECK(bench.source.next_event() == bench.now + 250ms);
  bench.now += 250ms;
  refuse();
  REQUIRE(bench.source.wants_connection(bench.now)->host == "mq2");
  bench.open();
  bench.message("a");
  bench.source.done(bench.item(0));
  bench.source.lost({storage::ErrorCode::kUnavailable, "broken"}, bench.now);
  CHECK(bench.observer.lines.back() == "lost mq2 0 broken");
  CHECK(bench.source.wants_connection(bench.now)->host == "mq1");
}

TEST_CASE("in trouble messages are held for a while, and then the connection is closed") {
  Bench bench;
  bench.subscribe(2);
  bench.open();
  for (const char* id : {"a", "b", "c"})
    bench.message(id);
  bench.source.set_credit(0, {0, 0});
  bench.source.give_back(bench.item(0));
  bench.source.give_back(bench.item(1));
  bench.advance();
  CHECK(bench.source.next_event() == bench.now + 10s);
  bench.now += 10s;
  bench.advance();
  CHECK(bench.observer.lines.back() == "handed back 3");
  CHECK(bench.source.take_close());
  CHECK(bench.source.wants_connection(bench.now) == nullptr);
  CHECK_FALSE(bench.source.next_event().has_value());
}

TEST_CASE("the drain's try after trouble asks the broker for one message, and then for all") {
  Bench bench;
  bench.subscribe(50);
  bench.open();
  bench.message("a");
  bench.source.set_credit(0, {0, 0});
  bench.source.give_back(bench.item(0));
  bench.advance();
  bench.now += 10s;
  bench.advance();
  bench.source.set_credit(0, {1, 1});
  CHECK(has(bench.open(), "prefetch-count:1\n"));
  bench.message("a");
  bench.source.set_credit(0, {0, 0});
  bench.source.give_back(bench.item(1));
  bench.advance();
  CHECK_FALSE(bench.source.take_close());  // held as long again: a try more costs no delivery
  bench.source.set_credit(0, {1, 1});
  bench.advance();
  bench.source.set_credit(0, {50, 1'000'000});
  bench.source.done(bench.item(2));
  CHECK(bench.advance() == "ACK\nid:a\n\n@DISCONNECT\nreceipt:1\n\n@");
  bench.source.came("RECEIPT\nreceipt-id:1\n\n" + kNul, bench.now, bench.wall_ms);
  CHECK(bench.source.take_close());
  CHECK(has(bench.open(), "prefetch-count:50\n"));
}

TEST_CASE("it leaves when all letters are kept, and its last ACK goes before the farewell") {
  Bench bench;
  bench.subscribe();
  bench.open();
  bench.message("a");
  bench.message("b");
  CHECK(bench.source.dead_letter(bench.item(0), kUnreadable, 0));
  static_cast<void>(bench.out());
  bench.source.close();
  bench.source.done(bench.item(1));
  bench.source.leave();
  CHECK(bench.advance() == "ACK\nid:b\n\n@");
  bench.source.came("RECEIPT\nreceipt-id:1\n\n" + kNul, bench.now, bench.wall_ms);
  CHECK(bench.advance() == "ACK\nid:a\n\n@DISCONNECT\nreceipt:2\n\n@");
  CHECK_FALSE(bench.source.has_left());
  bench.source.came("RECEIPT\nreceipt-id:2\n\n" + kNul, bench.now, bench.wall_ms);
  CHECK(bench.source.has_left());
  CHECK(bench.source.wants_connection(bench.now) == nullptr);
}

TEST_CASE("what is said of messages after the farewell is void") {
  Bench bench;
  bench.subscribe();
  bench.open();
  for (const char* id : {"a", "b", "c"})
    bench.message(id);
  bench.source.close();
  bench.source.leave();
  CHECK(bench.advance() == "DISCONNECT\nreceipt:1\n\n@");
  bench.source.done(bench.item(0));
  CHECK(bench.source.dead_letter(bench.item(1), kUnreadable, 0));
  bench.source.give_back(bench.item(2));
  CHECK(bench.advance().empty());
  CHECK(bench.source.figures().acknowledged == 0);
  bench.source.came("RECEIPT\nreceipt-id:1\n\n" + kNul, bench.now, bench.wall_ms);
  CHECK(bench.source.has_left());
}

TEST_CASE("messages are stamped with their own time, if they have one") {
  Bench bench;
  bench.subscribe();
  bench.open();
  bench.message("a", "{}", "producer-timestamp:1600000000000\n");
  bench.message("b");
  CHECK(bench.taker.taken[0].message->arrived_ms == 1'600'000'000'000);
  CHECK(bench.taker.taken[0].message->id < bench.taker.taken[1].message->id);
}

TEST_CASE("a Stompbox is asked when each message arrived there, and letters do not repeat it") {
  Bench bench;
  bench.subscribe();
  const std::string said = bench.open("CONNECTED\nserver:stompbox/1\nversion:1.2\n\n" + kNul);
  CHECK(has(said, "include-arrival:stompbox-arrival\n"));
  bench.message("3-18", "{}", "stompbox-arrival:1600000000000\n");
  bench.message("3-17", "{}", "stompbox-arrival:1600000000000\n");  // it came back
  const auto& taken = bench.taker.taken;
  CHECK(taken[0].message->arrived_ms == 1'600'000'000'000);
  CHECK(taken[1].message->id < taken[0].message->id);
  CHECK(bench.source.dead_letter(bench.item(0), kUnreadable, 0));
  CHECK_FALSE(has(bench.advance(), "stompbox-arrival"));
  Bench strange;
  strange.subscribe();
  CHECK_FALSE(has(strange.open(), "include-arrival"));
}

TEST_CASE("a letter that was replayed and dies again still has the time of its first arrival") {
  Bench bench;
  bench.subscribe();
  bench.open();
  bench.message("a", "{}", "timestamp:1690000000000\noriginal-arrival:1600000000000-7\n");
  CHECK(bench.taker.taken[0].message->arrived_ms == 1'600'000'000'000);
  CHECK(bench.source.dead_letter(bench.item(0), kUnreadable, 0));
  const std::string said = bench.advance();
  CHECK(has(said, "original-arrival:1600000000000-7\n"));
  CHECK(said.find("original-arrival") == said.rfind("original-arrival"));
}

TEST_CASE("an ERROR of the broker is a lost connection, told in its words") {
  Bench bench;
  bench.subscribe();
  bench.open();
  bench.source.came("ERROR\nmessage:no such queue\n\n" + kNul, bench.now, bench.wall_ms);
  CHECK(bench.observer.lines.back() == "lost mq1 0 the broker says: no such queue");
  CHECK(bench.source.take_close());
}

#include "broker/client/dialogue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace stompbox;
using namespace stompbox::client;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kNul{"\0", 1};

// What brokers answered to our CONNECT, as recorded.
const std::string kRabbit =
    "CONNECTED\nserver:RabbitMQ/3.10.8\nsession:session-iN4\nheart-beat:10000,10000\n"
    "version:1.2\n\n" +
    std::string(kNul);
const std::string kActive =
    "CONNECTED\nserver:ActiveMQ/5.17.2\nheart-beat:10000,10000\nsession:ID:h-1\nversion:1.2\n\n" +
    std::string(kNul) + "\n";
const std::string kOld = "CONNECTED\nsession:wow\n\n" + std::string(kNul) + "\n";
const std::string kEleven =
    "CONNECTED\nversion:1.1\nheart-beat:0,0\nsession:x\n\n" + std::string(kNul);

struct Talk {
  explicit Talk(const std::string& connected = kRabbit, DialogueOptions options = {})
      : dialogue(std::move(options), now) {
    hello = out();
    feed(connected);
  }
  void feed(const std::string& bytes) { dialogue.feed(bytes, now); }
  std::string out() {
    std::string text = dialogue.take_output();
    std::replace(text.begin(), text.end(), '\0', '@');
    return text;
  }
  template <typename Event>
  Event take() {
    const auto event = dialogue.next();
    REQUIRE(event.has_value());
    REQUIRE(std::holds_alternative<Event>(*event));
    return std::get<Event>(*event);
  }
  void message(const std::string& headers, const std::string& body = "x") {
    feed("MESSAGE\n" + headers + "content-length:" + std::to_string(body.size()) + "\n\n" + body +
         std::string(kNul) + "\n");
  }
  void subscribe() {
    take<Dialogue::Opened>();
    dialogue.subscribe(0, "/queue/catalog", {64, 1'000'000}, now);
  }
  // Three messages of the kind that 1.0 brokers send.
  void three_old() {
    subscribe();
    static_cast<void>(out());
    for (const char* id : {"a", "b", "c"})
      message("destination:/queue/catalog\nmessage-id:" + std::string(id) + "\n");
    for (int i = 0; i < 3; ++i)
      take<Dialogue::Arrived>();
  }

  Dialogue::TimePoint now{};
  Dialogue dialogue;
  std::string hello;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("CONNECT offers all versions, the virtual host and heart-beats, and a login if any") {
  Talk nobody;
  CHECK(nobody.hello == "CONNECT\naccept-version:1.0,1.1,1.2\nhost:/\nheart-beat:10000,10000\n\n@");
  DialogueOptions options;
  options.login = "puppet";
  options.passcode = "a:b\\c";
  Talk somebody(kRabbit, options);
  CHECK(has(somebody.hello, "\nlogin:puppet\npasscode:a:b\\c\n"));
}

TEST_CASE("each broker is told the window in its own words") {
  const auto words = [](const std::string& connected) {
    Talk talk(connected);
    talk.subscribe();
    return talk.out();
  };
  CHECK(words(kRabbit) ==
        "SUBSCRIBE\nid:0\ndestination:/queue/catalog\nack:client-individual\n"
        "prefetch-count:64\n\n@");
  CHECK(words(kActive) ==
        "SUBSCRIBE\nid:0\ndestination:/queue/catalog\nack:client-individual\n"
        "activemq.prefetchSize:64\n\n@");
  CHECK(has(words("CONNECTED\nversion:1.2\nserver:ActiveMQ-Artemis/2.1\n\n" + std::string(kNul)),
            "activemq.prefetchSize:1000000\n"));
  CHECK(has(words(kOld), "ack:client\nprefetch-count:64\nactivemq.prefetchSize:64\n"));
}

TEST_CASE("an ACK has the words of its version") {
  Talk twelve;
  twelve.subscribe();
  static_cast<void>(twelve.out());
  twelve.message("subscription:0\nmessage-id:T_0@@1\nack:T_7\ndestination:/queue/catalog\n");
  twelve.dialogue.acknowledge(twelve.take<Dialogue::Arrived>().number, twelve.now);
  CHECK(twelve.out() == "ACK\nid:T_7\n\n@");
  CHECK(twelve.dialogue.unacknowledged() == 0);

  Talk eleven(kEleven);
  eleven.subscribe();
  static_cast<void>(eleven.out());
  eleven.message("subscription:0\nmessage-id:ID\\c1\ndestination:/queue/catalog\n");
  eleven.dialogue.acknowledge(eleven.take<Dialogue::Arrived>().number, eleven.now);
  CHECK(eleven.out() == "ACK\nmessage-id:ID\\c1\nsubscription:0\n\n@");
}

TEST_CASE("in 1.0 a message is acknowledged when all before it are, each by itself") {
  Talk talk(kOld);
  talk.three_old();
  talk.dialogue.acknowledge(3, talk.now);
  CHECK(talk.out().empty());
  talk.dialogue.acknowledge(1, talk.now);
  CHECK(talk.out() == "ACK\nmessage-id:a\n\n@");
  CHECK(talk.dialogue.unacknowledged() == 2);
  talk.dialogue.acknowledge(2, talk.now);
  CHECK(talk.out() == "ACK\nmessage-id:b\n\n@ACK\nmessage-id:c\n\n@");
}

TEST_CASE("a message without a subscription is known by its destination") {
  Talk talk(kOld);
  talk.subscribe();
  talk.dialogue.subscribe(1, "/queue/facts", {8, 8}, talk.now);
  talk.message("destination:/queue/facts\nmessage-id:a\n");
  CHECK(talk.take<Dialogue::Arrived>().tag == 1);
  talk.message("destination:/queue/other\nmessage-id:b\n");
  CHECK_FALSE(talk.dialogue.next().has_value());
}

TEST_CASE("a letter is sent with a receipt, and its headers are the message's own") {
  Talk talk;
  talk.subscribe();
  static_cast<void>(talk.out());
  const auto receipt =
      talk.dialogue.send("/queue/DLQ.catalog", "colour:a\\cb\n", std::string("\0x", 2), talk.now);
  CHECK(talk.out() ==
        "SEND\ncontent-length:2\ndestination:/queue/DLQ.catalog\nreceipt:1\ncolour:a\\cb\n\n@x@");
  talk.feed("RECEIPT\nreceipt-id:1\n\n" + std::string(kNul));
  CHECK(talk.take<Dialogue::Confirmed>().receipt == receipt);
}

TEST_CASE("the goodbye is over with its receipt, and what comes meanwhile is the broker's") {
  Talk talk;
  talk.subscribe();
  static_cast<void>(talk.out());
  talk.dialogue.leave(talk.now);
  CHECK(talk.out() == "DISCONNECT\nreceipt:1\n\n@");
  talk.message("subscription:0\nmessage-id:a\nack:a\n");
  CHECK_FALSE(talk.dialogue.next().has_value());
  talk.feed("RECEIPT\nreceipt-id:1\n\n" + std::string(kNul));
  talk.take<Dialogue::Left>();
}

TEST_CASE("an ERROR ends it, as a denial before the login") {
  const std::string error =
      "ERROR\nmessage:Bad CONNECT\ncontent-length:15\n\nAccess refused\n" + std::string(kNul);
  Talk before(error);
  const auto denied = before.take<Dialogue::Failed>().error;
  CHECK(denied.code == storage::ErrorCode::kDenied);
  CHECK(denied.text == "the broker says: Bad CONNECT (Access refused)");
  Talk after;
  after.subscribe();
  after.feed(error);
  CHECK(after.take<Dialogue::Failed>().error.code == storage::ErrorCode::kInvalid);
}

TEST_CASE("what is no STOMP broker is told as that") {
  Talk web("HTTP/1.1 400 Bad Request\r\n\r\n");
  CHECK(web.take<Dialogue::Failed>().error.text.starts_with("the other side does not speak STOMP"));
}

TEST_CASE("without an answer to CONNECT patience ends") {
  Talk talk("");
  CHECK(talk.dialogue.next_event() == talk.now + 30s);
  talk.dialogue.on_time(talk.now + 30s);
  CHECK(talk.take<Dialogue::Failed>().error.code == storage::ErrorCode::kBusy);
}

TEST_CASE("a farewell that is not answered ends, too") {
  Talk talk;
  talk.take<Dialogue::Opened>();
  talk.now += 1s;
  talk.dialogue.leave(talk.now);
  CHECK(talk.dialogue.next_event() == talk.now + 30s);
  talk.dialogue.on_time(talk.now + 30s);
  CHECK(talk.take<Dialogue::Failed>().error.code == storage::ErrorCode::kBusy);
}

TEST_CASE("a beat goes out at half the interval, and any frame is one") {
  Talk talk;
  talk.subscribe();
  static_cast<void>(talk.out());
  CHECK(talk.dialogue.next_event() == talk.now + 5s);
  talk.dialogue.on_time(talk.now + 5s - 1ms);
  CHECK(talk.out().empty());
  talk.dialogue.on_time(talk.now + 5s);
  CHECK(talk.out() == "\n");
  CHECK(talk.dialogue.next_event() == talk.now + 10s);
}

TEST_CASE("a broker that is silent for two and a half intervals is given up") {
  Talk talk;
  talk.take<Dialogue::Opened>();
  talk.now += 20s;
  talk.feed("\n");
  talk.dialogue.on_time(talk.now + 25s - 1ms);
  CHECK_FALSE(talk.dialogue.next().has_value());
  talk.dialogue.on_time(talk.now + 25s);
  CHECK(talk.take<Dialogue::Failed>().error.code == storage::ErrorCode::kBusy);
}

TEST_CASE("while we do not read, the broker's silence does not count") {
  Talk talk;
  talk.take<Dialogue::Opened>();
  talk.dialogue.stop_listening(talk.now);
  talk.now += 100s;
  talk.dialogue.on_time(talk.now);
  CHECK_FALSE(talk.dialogue.next().has_value());
  talk.dialogue.listen(talk.now);
  talk.dialogue.on_time(talk.now + 25s);
  talk.take<Dialogue::Failed>();
}

TEST_CASE("a broker that wants no beats gets none, and owes none") {
  Talk talk(kEleven);
  talk.take<Dialogue::Opened>();
  CHECK_FALSE(talk.dialogue.next_event().has_value());
}

TEST_CASE("frames cut at every byte are understood the same") {
  Talk talk("");
  for (const char byte : kActive)
    talk.feed(std::string(1, byte));
  CHECK(talk.take<Dialogue::Opened>().server == "ActiveMQ/5.17.2");
}

#include <doctest/doctest.h>

#include "broker/session/ids.h"
#include "broker/session/refusal.h"
#include "broker/session/unacked.h"
#include "tests/unit/session/frames.h"
#include "tests/unit/session/pure_broker.h"

// The form of MESSAGEs, and what names them when they are acknowledged.
namespace stompbox::testing {
namespace {

using queue::MessageId;
using routing::Reach;
using session::AckId;
using session::CloseReason;

TEST_CASE("ids read back what was written, and neither form is taken for the other") {
  std::string text;
  session::append_message_id(text, MessageId::make(3, 17));
  CHECK(text == "3-17");
  CHECK(session::parse_message_id(text) == MessageId::make(3, 17));
  CHECK_FALSE(session::parse_ack_id(text));
  text.clear();
  session::append_ack_id(text, {.tag = 3, .delivery = {17}});
  CHECK(text == "3.17");
  CHECK(session::parse_ack_id(text) == AckId{.tag = 3, .delivery = {17}});
  CHECK_FALSE(session::parse_message_id(text));
}

TEST_CASE("what only looks like an id is none") {
  for (const char* text : {"", "-", "1-", "-1", "1-2-3", "1 -2", "+1-2", "0x1-2",
                           "1-99999999999999", "16777216-1", "18446744073709551616-1"}) {
    CHECK_FALSE(session::parse_message_id(text));
  }
  for (const char* text : {"", ".", "1.", ".1", "1.2.3", "4294967296.1", "1.18446744073709551616"})
    CHECK_FALSE(session::parse_ack_id(text));
}

TEST_CASE("what is covered by an ACK waits no longer, by whatever name") {
  session::Unacked unacked;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    unacked.add({.tag = 1, .delivery = {i}}, {i});
    unacked.add({.tag = 2, .delivery = {i}}, {i});
  }
  unacked.remove({.tag = 1, .delivery = {3}}, Reach::kUpTo);
  unacked.remove({.tag = 2, .delivery = {3}}, Reach::kOne);
  CHECK_FALSE(unacked.contains({.tag = 1, .delivery = {1}}));
  CHECK(unacked.contains({.tag = 1, .delivery = {4}}));
  CHECK(unacked.contains({.tag = 2, .delivery = {1}}));
  CHECK_FALSE(unacked.contains({.tag = 2, .delivery = {3}}));
  CHECK(unacked.find({1}) == AckId{.tag = 2, .delivery = {1}});
  CHECK_FALSE(unacked.find({3}));
  CHECK_FALSE(unacked.find({2}, 1));
  CHECK(unacked.find({4}, 1) == AckId{.tag = 1, .delivery = {4}});
  unacked.remove({.tag = 1, .delivery = {4}}, Reach::kUpTo);
  CHECK_FALSE(unacked.any_of(1));
  CHECK(unacked.any_of(2));
  CHECK_FALSE(unacked.find({4}, 1));
  unacked.add({.tag = 1, .delivery = {5}}, {4});
  CHECK(unacked.find({4}, 1) == AckId{.tag = 1, .delivery = {5}});
}

TEST_CASE("a 1.0 consumer gets no header without a value, others do") {
  PureBroker broker;
  auto& old = broker.connect("1.0");
  old.feed(frame("SUBSCRIBE\ndestination:/topic/t\n\n"));
  auto& modern = broker.connect("1.1");
  modern.feed(subscribe("0", "/topic/t"));
  auto& producer = broker.connect();
  producer.feed(send("/topic/t", "x", "empty:\nblank: \nlines:\\n\nfull:y\n"));
  const std::string seen = old.take();
  CHECK_FALSE(has(seen, "empty"));
  CHECK_FALSE(has(seen, "blank"));
  CHECK_FALSE(has(seen, "lines"));
  CHECK(value_of(seen, "full") == "y");
  const std::string whole = modern.take();
  CHECK(has(whole, "\nempty:\n"));
  CHECK(has(whole, "\nblank: \n"));
  CHECK(has(whole, "\nlines:\\n\n"));
}

TEST_CASE("who asks for it is told when a message arrived, the same at every delivery") {
  PureBroker broker;
  auto& first = broker.connect();
  first.feed("SUBSCRIBE\nid:0\ndestination:/queue/q\nack:client\ninclude-arrival:came\n\n" +
             std::string(1, '\0'));
  broker.connect().feed(send("/queue/q", "x"));
  const std::string seen = first.take();
  REQUIRE(has(seen, "\ncame:"));
  const std::string came = value_of(seen, "came");
  broker.pass(std::chrono::seconds(5));
  broker.close(first);
  auto& second = broker.connect();
  second.feed("SUBSCRIBE\nid:0\ndestination:/queue/q\nack:client\ninclude-arrival:came\n\n" +
              std::string(1, '\0'));
  CHECK(value_of(second.take(), "came") == came);
  auto& third = broker.connect();
  third.feed(subscribe("0", "/topic/t"));
  broker.connect().feed(send("/topic/t", "x"));
  CHECK_FALSE(has(third.take(), "came"));
}

TEST_CASE("after a topic has dropped some the next MESSAGE says how many were lost") {
  routing::RoutingOptions routing;
  routing.topic_policy.backlog_count_max = 2;
  routing.topic_policy.when_slow = routing::WhenSlow::kDropOldest;
  PureBroker broker({}, routing);
  auto& peer = broker.connect();
  peer.feed(subscribe("s", "/topic/t", "ack:client-individual\nprefetch-count:1\n"));
  for (const char* body : {"1", "2", "3", "4", "5"})
    peer.feed(send("/topic/t", body));
  const std::string first = peer.take();
  CHECK(count_of(first, "MESSAGE") == 1);
  CHECK_FALSE(has(first, "messages-lost"));
  peer.feed(frame("ACK\nid:" + value_of(first, "ack") + "\n\n"));
  const std::string second = peer.take();
  CHECK(has(second, "\n\n4"));
  CHECK(value_of(second, "messages-lost") == "2");
}

TEST_CASE("a large body goes out by reference, whole and with its NUL") {
  PureBroker broker;
  auto& peer = broker.connect();
  const std::string body(1'000'000, 'b');
  peer.feed(subscribe("0", "/queue/q") + send("/queue/q", body));
  const std::string output = peer.take();
  CHECK(value_of(output, "content-length") == "1000000");
  CHECK(output.ends_with(frame("\n\n" + body)));
}

TEST_CASE("a message without a body has no content-length") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(subscribe("0", "/queue/q") + frame("SEND\ndestination:/queue/q\n\n"));
  const std::string output = peer.take();
  CHECK_FALSE(has(output, "content-length"));
  CHECK(output.ends_with(frame("\n\n")));
}

TEST_CASE("deliveries of an ended subscription are acknowledged by its name until they are gone") {
  PureBroker broker;
  auto& peer = broker.connect("1.1");
  peer.feed(subscribe("s", "/queue/q", "ack:client\n") + send("/queue/q", "x"));
  const std::string first = value_of(peer.take(), "message-id");
  peer.feed(frame("UNSUBSCRIBE\nid:s\n\n") + subscribe("s", "/queue/q", "ack:client\n") +
            send("/queue/q", "y"));
  const std::string second = value_of(peer.take(), "message-id");
  peer.feed(frame("ACK\nmessage-id:" + first + "\nsubscription:s\nreceipt:1\n\n") +
            frame("ACK\nmessage-id:" + second + "\nsubscription:s\nreceipt:2\n\n"));
  broker.settle();
  const std::string output = peer.take();
  CHECK(has(output, "receipt-id:1"));
  CHECK(has(output, "receipt-id:2"));
  CHECK(broker.router->figures().subscriptions == 1);
}

TEST_CASE("ended subscriptions without deliveries do not count against the bound") {
  session::SessionOptions options;
  options.subscription_count_max = 2;
  PureBroker broker(options);
  auto& peer = broker.connect();
  for (int i = 0; i < 100; ++i)
    peer.feed(subscribe("s", "/queue/q", "ack:client\n") + frame("UNSUBSCRIBE\nid:s\n\n"));
  CHECK(peer.take().empty());
  for (int i = 0; i < 3; ++i) {
    peer.feed(subscribe("s", "/queue/q", "ack:client\nprefetch-count:1\n") + send("/queue/q", "x") +
              frame("UNSUBSCRIBE\nid:s\n\n"));
  }
  CHECK(value_of(peer.take(), "message") == "Too many subscriptions");
}

TEST_CASE("the texts of a peer's subscriptions are bounded, whichever they are") {
  session::SessionOptions options;
  options.subscription_bytes_max = 10'000;
  const std::string text(200, 'x');
  for (int which = 0; which < 3; ++which) {
    CAPTURE(which);
    PureBroker broker(options);
    auto& peer = broker.connect();
    for (int i = 0; i < 60; ++i) {
      const std::string number = std::to_string(i);
      peer.feed(subscribe(which == 0 ? text + number : number,
                          which == 1 ? "/queue/" + text + number : "/queue/q",
                          which == 2 ? "selector:a = '" + text + "'\n" : ""));
    }
    CHECK(value_of(peer.take(), "message") == "Too many subscriptions");
  }
}

TEST_CASE("what an ended subscription took is there for the next") {
  session::SessionOptions options;
  options.subscription_bytes_max = 10'000;
  PureBroker broker(options);
  auto& peer = broker.connect();
  const std::string id(2000, 'x');
  for (int i = 0; i < 10; ++i)
    peer.feed(subscribe(id, "/queue/q") + frame("UNSUBSCRIBE\nid:" + id + "\n\n"));
  CHECK(peer.take().empty());
  CHECK(peer.session.phase() == session::Session::Phase::kOpen);
}

TEST_CASE("one message on two subscriptions of a 1.0 peer is acknowledged twice by its id") {
  PureBroker broker;
  auto& peer = broker.connect("1.0");
  peer.feed(subscribe("a", "/topic/t", "ack:client\n") +
            subscribe("b", "/topic/t", "ack:client\n") + send("/topic/t", "x"));
  const std::string id = value_of(peer.take(), "message-id");
  peer.feed(frame("ACK\nmessage-id:" + id + "\nreceipt:1\n\n") +
            frame("ACK\nmessage-id:" + id + "\nreceipt:2\n\n"));
  broker.settle();
  CHECK(count_of(peer.take(), "RECEIPT") == 2);
}

TEST_CASE("after a restart everything that is found says that it may have been seen") {
  PureBroker broker;
  broker.connect().feed(send("/queue/q", "x"));
  broker.settle();
  broker.crash();
  auto& peer = broker.connect();
  peer.feed(subscribe("0", "/queue/q"));
  broker.settle();
  CHECK(has(peer.take(), "redelivered:true"));
}

TEST_CASE("the old gems' short lengths are mended and counted") {
  PureBroker broker;
  auto& peer = broker.connect("1.0");
  peer.feed(frame("SUBSCRIBE\ndestination:/queue/q\n\n") +
            frame("SEND\ndestination:/queue/q\ncontent-length: 2\n\nabc"));
  CHECK(value_of(peer.take(), "content-length") == "3");
  CHECK(peer.session.figures().mended_lengths == 1);
}

TEST_CASE("what a peer said is quoted short, without control characters and in whole characters") {
  CHECK(session::quoted("a\nb\x01") == "\"a?b?\"");
  const std::string text = std::string(79, 'x') + "\xc3\xa9 and more";
  CHECK(session::quoted(text) == '"' + std::string(79, 'x') + "...\"");
  CHECK(session::quoted(std::string(80, 'x')) == '"' + std::string(80, 'x') + '"');
}

}  // namespace
}  // namespace stompbox::testing

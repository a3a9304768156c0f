#include "broker/net/connections.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/net/loopback.h"

namespace stompbox::net {
namespace {

using std::chrono::milliseconds;
using testing::connect_frame;
using testing::frame;
using testing::Loopback;
using testing::Peer;

std::string send_frame(const std::string& queue, const std::string& body,
                       const std::string& headers = "") {
  return frame("SEND\ndestination:/queue/" + queue + "\n" + headers +
               "content-length:" + std::to_string(body.size()) + "\n\n" + body);
}

std::string subscribe_frame(const std::string& queue, const std::string& headers = "") {
  return frame("SUBSCRIBE\nid:0\ndestination:/queue/" + queue + "\n" + headers + "\n");
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST_CASE("a message goes from one peer to another, and its receipt comes back") {
  Loopback broker;
  Peer consumer(broker);
  consumer.send(connect_frame() + subscribe_frame("a"));
  REQUIRE(broker.run_until([&consumer] { return consumer.got("CONNECTED"); }));
  Peer producer(broker);
  producer.send(connect_frame() + send_frame("a", "hello", "receipt:7\n"));
  REQUIRE(broker.run_until([&producer] { return producer.got("receipt-id:7"); }));
  REQUIRE(broker.run_until([&consumer] { return consumer.got("hello"); }));
}

TEST_CASE("a message that comes after a rest is passed on before anything else is looked at") {
  Loopback broker;
  Peer consumer(broker);
  consumer.send(connect_frame() + subscribe_frame("a", "receipt:s\n"));
  REQUIRE(broker.run_until([&consumer] { return consumer.got("receipt-id:s"); }));
  Peer producer(broker);
  producer.send(connect_frame());
  REQUIRE(broker.run_until([&producer] { return producer.got("CONNECTED"); }));
  producer.send(send_frame("a", "hello", "persistent:false\n"));
  REQUIRE(broker.io.run_one_for(std::chrono::seconds(20)) == 1);
  CHECK(consumer.got("hello"));
}

TEST_CASE("what comes after a rest for many is passed on in a turn of its own") {
  Loopback broker;
  std::vector<std::unique_ptr<Peer>> consumers;
  for (int i = 0; i < 20; ++i) {
    consumers.push_back(std::make_unique<Peer>(broker));
    Peer& consumer = *consumers.back();
    consumer.send(connect_frame() + frame("SUBSCRIBE\nid:0\ndestination:/topic/t\nreceipt:s\n\n"));
    REQUIRE(broker.run_until([&consumer] { return consumer.got("receipt-id:s"); }));
  }
  Peer producer(broker);
  producer.send(connect_frame());
  REQUIRE(broker.run_until([&producer] { return producer.got("CONNECTED"); }));
  producer.send(frame("SEND\ndestination:/topic/t\nreceipt:7\n\nhello"));
  REQUIRE(broker.io.run_one_for(std::chrono::seconds(20)) == 1);
  CHECK(producer.got("receipt-id:7"));
  for (const auto& consumer : consumers)
    REQUIRE(broker.run_until([&consumer] { return consumer->got("hello"); }));
}

TEST_CASE("a peer that comes with all at once and closes at once is heard to the end") {
  Loopback broker;
  {
    Peer master(broker);
    master.send(connect_frame() + send_frame("catalog", std::string(100'000, 'x')) +
                frame("DISCONNECT\n\n"));
  }
  REQUIRE(broker.run_until([&broker] { return broker.journal.stored_count("catalog") == 1; }));
  REQUIRE(broker.run_until([&broker] { return broker.connections->figures().open == 0; }));
}

TEST_CASE("a reset after the last byte loses nothing that was sent") {
  Loopback broker;
  {
    Peer master(broker);
    master.send(connect_frame() + send_frame("catalog", "whole"));
    // The broker's CONNECTED is unread: closing sends a reset.
    REQUIRE(broker.run_until([&broker] { return broker.connections->figures().total == 1; }));
    master.send(send_frame("catalog", "second"));
    master.close_with_reset();
  }
  REQUIRE(broker.run_until([&broker] { return broker.connections->figures().open == 0; }));
  REQUIRE(broker.run_until([&broker] { return broker.journal.stored_count("catalog") >= 1; }));
}

TEST_CASE("a probe that never sends a byte is only counted") {
  Loopback broker;
  { const Peer probe(broker); }
  REQUIRE(broker.run_until([&broker] { return broker.connections->figures().probes == 1; }));
  CHECK(broker.connections->figures().open == 0);
}

TEST_CASE("a peer that reads slowly gets all its messages in order") {
  Loopback broker;
  Peer consumer(broker, 4096);
  consumer.send(connect_frame() + subscribe_frame("a", "ack:auto\n"));
  REQUIRE(broker.run_until([&broker] { return broker.connections->figures().open == 1; }));
  Peer producer(broker);
  producer.send(connect_frame());
  constexpr int kMessages = 200;
  std::string waiting;
  for (int i = 0; i < kMessages; ++i) {
    waiting += send_frame("a", std::to_string(1000 + i) + std::string(20'000, '.'));
  }
  producer.send(waiting);
  REQUIRE(broker.run_until([&producer] { return producer.all_sent(); }));
  REQUIRE(broker.run_until([&consumer] { return consumer.got("1199...."); }));
  std::size_t at = 0;
  for (int i = 0; i < kMessages; ++i) {
    at = consumer.received().find(std::to_string(1000 + i) + "....", at);
    REQUIRE(at != std::string::npos);
  }
}

TEST_CASE("a message to many peers is in one write for each of them") {
  Loopback broker;
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 20; ++i) {
    peers.push_back(std::make_unique<Peer>(broker));
    peers.back()->send(connect_frame() +
                       frame("SUBSCRIBE\nid:0\ndestination:/topic/t\nreceipt:1\n\n"));
  }
  for (const auto& peer : peers) {
    REQUIRE(broker.run_until([&peer] { return peer->got("receipt-id:1"); }));
  }
  std::string burst = connect_frame();
  for (int i = 0; i < 10; ++i)
    burst += frame("SEND\ndestination:/topic/t\n\nnews");
  Peer producer(broker);
  producer.send(burst);
  for (const auto& peer : peers) {
    REQUIRE(broker.run_until([&peer] { return count_of(peer->received(), "news") == 10; }));
  }
}

TEST_CASE("an ERROR reaches the peer before the end of the connection") {
  session::SessionOptions session;
  session.error_hold = milliseconds(20);
  Loopback broker({}, session);
  Peer peer(broker);
  peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(broker.run_until([&peer] { return peer.ended(); }));
  CHECK(peer.got("ERROR\n"));
}

TEST_CASE("the hold of an ERROR is as long as the porter says") {
  session::SessionOptions session;
  session.error_hold = milliseconds(1);
  Loopback broker({}, session);
  broker.porter.hold = milliseconds(300);
  Peer peer(broker);
  const auto begin = std::chrono::steady_clock::now();
  peer.send("nonsense\n");
  REQUIRE(broker.run_until([&peer] { return peer.got("ERROR\n"); }));
  REQUIRE(broker.run_until([&peer] { return peer.ended(); }));
  CHECK(std::chrono::steady_clock::now() - begin >= broker.porter.hold);
}

TEST_CASE("a login that is answered later goes on then") {
  Loopback broker;
  broker.porter.answers = false;
  Peer peer(broker);
  peer.send(connect_frame() + send_frame("a", "early", "receipt:1\n"));
  REQUIRE(broker.run_until([&broker] { return broker.porter.waiting.size() == 1; }));
  CHECK(broker.porter.hosts == std::vector<std::string>{"127.0.0.1"});
  CHECK_FALSE(peer.got("CONNECTED"));
  broker.porter.waiting.front()({session::LoginResult::kWelcome, {}, nullptr});
  REQUIRE(broker.run_until([&peer] { return peer.got("receipt-id:1"); }));
}

TEST_CASE("an answer for a peer that has gone is no matter") {
  Loopback broker;
  broker.porter.answers = false;
  {
    Peer peer(broker);
    peer.send(connect_frame());
    REQUIRE(broker.run_until([&broker] { return broker.porter.waiting.size() == 1; }));
    peer.close_with_reset();
  }
  broker.connections->close_all();
  broker.porter.waiting.front()({session::LoginResult::kWelcome, {}, nullptr});
  CHECK(broker.connections->empty());
}

TEST_CASE("a connection beyond the bound gets an ERROR and its end") {
  NetOptions options;
  options.connection_count_max = 2;
  Loopback broker(options);
  const Peer first(broker);
  const Peer second(broker);
  REQUIRE(broker.run_until([&broker] { return broker.connections->figures().open == 2; }));
  Peer third(broker);
  REQUIRE(broker.run_until([&third] { return third.ended(); }));
  CHECK(third.got("ERROR\nmessage:Too many connections\n"));
  CHECK(third.received().back() == '\0');
  CHECK(broker.connections->figures().turned_away == 1);
  CHECK(broker.connections->figures().open == 2);
}

TEST_CASE("frames that never end do not fill the memory for ever") {
  NetOptions options;
  options.inbound_bytes_max = 1024 * 1024;
  options.inbound_patience = milliseconds(50);
  Loopback broker(options);
  Peer greedy(broker);
  greedy.send(connect_frame() + "SEND\ndestination:/queue/a\ncontent-length:9000000\n\n");
  greedy.send(std::string(8'000'000, 'x'));
  REQUIRE(broker.run_until([&greedy] { return greedy.ended(); }));
  CHECK(broker.connections->figures().open == 0);
  CHECK(broker.connections->figures().inbound_bytes == 0);
}

TEST_CASE("at the inbound bound small frames go on and large ones wait") {
  NetOptions options;
  options.inbound_bytes_max = 1024 * 1024;
  options.inbound_patience = std::chrono::seconds(60);
  Loopback broker(options);
  Peer greedy(broker);
  greedy.send(connect_frame() + "SEND\ndestination:/queue/a\ncontent-length:9000000\n\n");
  greedy.send(std::string(8'000'000, 'x'));
  REQUIRE(broker.run_until([&greedy, &broker] {
    static_cast<void>(greedy.all_sent());
    return broker.connections->figures().inbound_bytes > 1024 * 1024;
  }));
  Peer modest(broker);
  modest.send(connect_frame() + send_frame("b", "small", "receipt:1\n"));
  REQUIRE(broker.run_until([&modest] { return modest.got("receipt-id:1"); }));
  const std::size_t one_read = options.read_bytes * options.reads_in_a_row;
  CHECK(broker.connections->figures().inbound_bytes <= options.inbound_bytes_max + one_read);
  greedy.close();
}

TEST_CASE("at the outgoing bound the slowest is closed and the others live") {
  NetOptions options;
  options.outgoing_bytes_max = 2 * 1024 * 1024;
  session::SessionOptions session;
  session.outbox_bytes_soft = 32 * 1024 * 1024;
  session.auto_credit_bytes = 32 * 1024 * 1024;
  Loopback broker(options, session);
  Peer slow(broker, 4096);
  slow.send(connect_frame() + subscribe_frame("a", "ack:auto\n"));
  REQUIRE(broker.run_until([&broker] { return broker.connections->figures().open == 1; }));
  Peer producer(broker);
  producer.send(connect_frame());
  const std::string bytes = send_frame("a", std::string(100'000, 'x'));
  std::string waiting;
  for (int i = 0; i < 200; ++i)
    waiting += bytes;
  producer.send(waiting);
  REQUIRE(broker.run_until([&producer, &broker] {
    return producer.all_sent() && broker.connections->figures().open == 1;
  }));
  CHECK(broker.connections->figures().outgoing_bytes <= options.outgoing_bytes_max);
  producer.send(frame("DISCONNECT\nreceipt:9\n\n"));
  REQUIRE(broker.run_until([&producer] { return producer.got("receipt-id:9"); }));
}

TEST_CASE("without descriptors peers are closed at once, and later ones are accepted") {
  Loopback broker;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  Peer first(broker);
  REQUIRE(broker.run_until([&broker] { return broker.connections->figures().open == 1; }));
  Peer second(broker);  // waits to be accepted
  const int lowest_free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(lowest_free);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(lowest_free);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
  const bool closed = broker.run_until([&second] { return second.ended(); });
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(closed);
  Peer third(broker);
  third.send(connect_frame());
  CHECK(broker.run_until([&third] { return third.got("CONNECTED"); }));
}

TEST_CASE("a stop reads what the kernel holds, also of those it has not given us yet") {
  Loopback broker;
  Peer open(broker);
  open.send(connect_frame());
  REQUIRE(broker.run_until([&open] { return open.got("CONNECTED"); }));
  open.send(send_frame("a", "one") + send_frame("a", "two"));
  {
    Peer unaccepted(broker);
    unaccepted.send(connect_frame() + send_frame("a", "three") + frame("DISCONNECT\n\n"));
  }
  broker.connections->begin_stop();
  broker.listener().finish();
  REQUIRE(broker.run_until([&broker] { return broker.connections->all_told(); }));
  REQUIRE(broker.run_until([&broker] { return broker.journal.stored_count("a") == 3; }));
}

TEST_CASE("a stop waits for the rest of a frame that has begun to come") {
  Loopback broker;
  Peer sender(broker);
  Peer silent(broker);
  sender.send(connect_frame());
  silent.send(connect_frame());
  REQUIRE(broker.run_until([&sender] { return sender.got("CONNECTED"); }));
  REQUIRE(broker.run_until([&silent] { return silent.got("CONNECTED"); }));
  const std::string whole = send_frame("a", std::string(400'000, 'x'));
  sender.send(whole.substr(0, 200'000));
  REQUIRE(broker.run_until(
      [&] { return sender.all_sent() && broker.connections->figures().inbound_bytes > 190'000; }));
  broker.connections->begin_stop();
  REQUIRE(broker.run_until([&silent] { return silent.ended(); }));
  CHECK_FALSE(broker.connections->all_told());
  sender.send(whole.substr(200'000));
  REQUIRE(broker.run_until([&] { return sender.all_sent() && broker.connections->all_told(); }));
  REQUIRE(broker.run_until([&broker] { return broker.journal.stored_count("a") == 1; }));
}

TEST_CASE("a stop whose patience is over does not wait for the rest of a frame") {
  Loopback broker;
  Peer sender(broker);
  sender.send(connect_frame() + "SEND\ndestination:/queue/a\n");
  REQUIRE(broker.run_until([&sender] { return sender.got("CONNECTED"); }));
  broker.connections->begin_stop();
  CHECK_FALSE(broker.connections->all_told());
  broker.connections->tell_all();
  CHECK(broker.connections->all_told());
  REQUIRE(broker.run_until([&sender] { return sender.ended(); }));
}

TEST_CASE("a stop at any moment of the accepting loses nobody") {
  constexpr std::size_t kMasters = 8;
  for (std::size_t steps = 0; steps < 30; ++steps) {
    CAPTURE(steps);
    Loopback broker;
    for (std::size_t i = 0; i < kMasters; ++i) {
      Peer master(broker);
      master.send(connect_frame() + send_frame("a", "x") + frame("DISCONNECT\n\n"));
    }
    for (std::size_t step = 0; step < steps; ++step)
      broker.io.poll_one();
    broker.connections->begin_stop();
    broker.listener().finish();
    REQUIRE(broker.run_until([&broker] { return broker.connections->empty(); }));
    REQUIRE(broker.run_until([&broker] { return !broker.journal.has_work(); }));
    CHECK(broker.journal.stored_count("a") == kMasters);
  }
}

TEST_CASE("a stop lets what peers are owed go out, and then ends their connections") {
  Loopback broker;
  Peer peer(broker);
  peer.send(connect_frame());
  REQUIRE(broker.run_until([&peer] { return peer.got("CONNECTED"); }));
  broker.commits = false;
  peer.send(send_frame("a", "one", "receipt:1\n"));
  broker.connections->begin_stop();
  REQUIRE(broker.run_until([&broker] { return broker.connections->all_told(); }));
  CHECK_FALSE(broker.connections->empty());
  broker.commits = true;
  REQUIRE(broker.run_until([&peer] { return peer.ended(); }));
  CHECK(peer.got("receipt-id:1"));
  peer.close();
  REQUIRE(broker.run_until([&broker] { return broker.connections->empty(); }));
}

TEST_CASE("a port that is in use is refused with a sentence") {
  Loopback broker;
  ListenerOptions options;
  options.address = {"127.0.0.1", broker.port()};
  Entrance entrance(options);
  Listener second(broker.io, *broker.connections, entrance);
  const auto status = second.open(1);
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().text == "cannot listen on tcp://127.0.0.1:" + std::to_string(broker.port()) +
                                   ": the port is in use; another broker may be running");
}

TEST_CASE("an address that is not of this machine is refused with a sentence") {
  Loopback broker;
  ListenerOptions options;
  options.address = {"192.0.2.1", 0};
  Entrance entrance(options);
  Listener second(broker.io, *broker.connections, entrance);
  const auto status = second.open(1);
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().text.find("this machine has no such address") != std::string::npos);
}

}  // namespace
}  // namespace stompbox::net

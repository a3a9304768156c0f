#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/test_folder.h"
#include "tests/unit/net/certificates.h"
#include "tests/unit/net/loopback.h"
#include "tests/unit/net/web_socket_client.h"

// Listeners of all schemes, over real sockets.
namespace stompbox::net {
namespace {

using std::chrono::milliseconds;
using testing::connect_frame;
using testing::frame;
using testing::Loopback;
using testing::masked;
using testing::messages_of;
using testing::Peer;
using testing::upgrade_request;

ListenerOptions listener_of(Scheme scheme) {
  ListenerOptions options;
  options.address.scheme = scheme;
  options.session.error_hold = milliseconds(20);
  options.session.login_timeout = milliseconds(200);
  return options;
}

struct CertifiedListener {
  explicit CertifiedListener(Scheme scheme) : options(listener_of(scheme)) {
    const auto made = testing::make_certificate(folder.path(), {.name = "broker"});
    options.tls.certificate = made.certificate_file;
    options.tls.key = made.key_file;
  }
  support::TestFolder folder;
  ListenerOptions options;
};

std::string after_head(const std::string& received) {
  return received.substr(received.find("\r\n\r\n") + 4);
}

TEST_CASE("STOMP goes over a WebSocket, on its own port and on one for all") {
  for (const Scheme scheme : {Scheme::kWs, Scheme::kAuto}) {
    Loopback broker({}, listener_of(scheme));
    Peer peer(broker);
    peer.send(upgrade_request());
    REQUIRE(broker.run_until([&peer] { return peer.got("HTTP/1.1 101"); }));
    peer.send(masked(Opcode::kText, connect_frame()));
    REQUIRE(broker.run_until([&peer] { return peer.got("CONNECTED"); }));
    const std::string body(300'000, 'x');
    peer.send(masked(Opcode::kText, frame("SUBSCRIBE\nid:0\ndestination:/queue/a\n\n")) +
              masked(Opcode::kBinary, frame("SEND\ndestination:/queue/a\n\n" + body)));
    const auto complete = [&peer] {
      const auto messages = messages_of(after_head(peer.received()));
      return messages && messages->size() == 2;
    };
    REQUIRE(broker.run_until(complete));
    const auto messages = messages_of(after_head(peer.received()));
    CHECK(messages->front().opcode == Opcode::kText);
    CHECK(messages->back().opcode == Opcode::kBinary);
    CHECK(messages->back().payload.find(body) != std::string::npos);
    peer.send(masked(Opcode::kClose, std::string("\x03\xe8", 2)));
    REQUIRE(broker.run_until([&peer] { return peer.ended(); }));
    CHECK(peer.received().ends_with(std::string("\x88\x02\x03\xe8", 4)));
    CHECK(broker.connections->figures().open == 0);
  }
}

TEST_CASE("a port for all takes plain STOMP, also byte by byte") {
  Loopback broker({}, listener_of(Scheme::kAuto));
  Peer peer(broker);
  for (const char byte : "\n" + connect_frame()) {
    peer.send(std::string(1, byte));
    broker.io.poll();
  }
  REQUIRE(broker.run_until([&peer] { return peer.got("CONNECTED"); }));
}

TEST_CASE("a peer that stops in a handshake is closed at the login time-out") {
  const CertifiedListener tls(Scheme::kTls);
  for (const auto& [options, begin] : std::vector<std::pair<ListenerOptions, std::string>>{
           {tls.options, std::string("\x16\x03\x01", 3)},
           {tls.options, ""},
           {listener_of(Scheme::kWs), "GET / HT"},
           {listener_of(Scheme::kAuto), "GET / HTTP/1.1\r\nHost: x\r\n"}}) {
    Loopback broker({}, options);
    Peer peer(broker);
    peer.send(begin);
    REQUIRE(broker.run_until([&peer] { return peer.ended(); }));
    CHECK(broker.connections->figures().open == 0);
    CHECK(broker.connections->figures().probes == (begin.empty() ? 1 : 0));
  }
}

TEST_CASE("who speaks the wrong protocol to a port is told in his own") {
  const CertifiedListener tls(Scheme::kTls);
  const CertifiedListener wss(Scheme::kWss);
  struct Case {
    ListenerOptions options;
    std::string sent;
    std::string answer;
  };
  for (const auto& [options, sent, answer] : std::vector<Case>{
           {tls.options, connect_frame(), "ERROR\nmessage:TLS needed"},
           {wss.options, upgrade_request(), "HTTP/1.1 400"},
           {listener_of(Scheme::kWs), connect_frame(), "ERROR\nmessage:WebSocket needed"},
           {listener_of(Scheme::kWs), "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 426"},
           {listener_of(Scheme::kAuto), "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 426"},
           {listener_of(Scheme::kWs), std::string(3000, '\x7f') + "\n", "HTTP/1.1 400"},
           {tls.options, std::string(3000, '\x16'), ""},
           {tls.options, std::string("\x16\x03\x01\x00\x05", 5) + "garbage", "\x15\x03"}}) {
    CAPTURE(sent.substr(0, 20));
    Loopback broker({}, options);
    Peer peer(broker);
    peer.send(sent);
    REQUIRE(broker.run_until([&peer] { return peer.ended(); }));
    CHECK_MESSAGE(peer.received().starts_with(answer), peer.received());
    CHECK(broker.connections->figures().open == 0);
    peer.close();
  }
}

TEST_CASE(
    "a WebSocket that breaks the rules is closed with its code, and what came before counts") {
  Loopback broker({}, listener_of(Scheme::kWs));
  Peer peer(broker);
  peer.send(upgrade_request() + masked(Opcode::kText, connect_frame()) +
            masked(Opcode::kText, frame("SEND\ndestination:/queue/a\n\nx")) + "\x01\x01x");
  REQUIRE(broker.run_until([&peer] { return peer.ended(); }));
  CHECK(peer.got(std::string("\x03\xea", 2) + "frames of clients have to be masked"));
  REQUIRE(broker.run_until([&broker] { return broker.journal.stored_count("a") == 1; }));
}

TEST_CASE("a port for all that demands certificates takes nobody without TLS") {
  CertifiedListener certified(Scheme::kAuto);
  certified.options.tls.authorities = certified.options.tls.certificate;
  certified.options.tls.clients = ClientCertificates::kRequired;
  for (const auto& [sent, answer] : std::vector<std::pair<std::string, std::string>>{
           {connect_frame(), "ERROR\nmessage:TLS needed"}, {upgrade_request(), "HTTP/1.1 400"}}) {
    Loopback broker({}, certified.options);
    Peer peer(broker);
    peer.send(sent);
    REQUIRE(broker.run_until([&peer] { return peer.ended(); }));
    CHECK(peer.got(answer));
    CHECK_FALSE(peer.got("CONNECTED"));
    CHECK(broker.porter.hosts.empty());
  }
}

TEST_CASE("a port for all that demands certificates and has no TLS takes nobody") {
  ListenerOptions options = listener_of(Scheme::kAuto);
  options.tls.clients = ClientCertificates::kRequired;
  Loopback broker({}, options);
  Peer peer(broker);
  peer.send("\x16" + connect_frame());
  REQUIRE(broker.run_until([&peer] { return peer.ended(); }));
  CHECK(broker.porter.hosts.empty());
}

TEST_CASE("who sends pings and does not read the pongs is not read any more") {
  ListenerOptions options = listener_of(Scheme::kWs);
  options.session.login_timeout = std::chrono::seconds(20);
  // Made before the login's time runs: a sanitizer makes it take long.
  std::string pings;
  for (int i = 0; i < 80'000; ++i)
    pings += masked(Opcode::kPing, std::string(120, 'p'));
  Loopback broker({}, options);
  Peer peer(broker, 4096);
  peer.send(upgrade_request());
  REQUIRE(broker.run_until([&peer] { return peer.got("HTTP/1.1 101"); }));
  peer.send(pings);
  std::size_t most = 0;
  // Pushes as long as the broker takes anything.
  std::size_t calm = 0;
  REQUIRE(broker.run_until([&] {
    const std::size_t before = most;
    static_cast<void>(peer.all_sent());
    most = std::max(most, broker.connections->figures().outgoing_bytes);
    calm = most == before ? calm + 1 : 0;
    return calm > 200;
  }));
  CHECK_FALSE(peer.all_sent());
  CHECK(most > 0);
  CHECK(most < 512 * 1024);
  CHECK(broker.connections->figures().open == 1);
  // Once they are read it goes on.
  REQUIRE(broker.run_until([&peer] {
    static_cast<void>(peer.received());
    return peer.all_sent();
  }));
}

TEST_CASE("a listener has its own bounds on connections and on new ones in a second") {
  ListenerOptions options = listener_of(Scheme::kTcp);
  options.session.login_timeout = std::chrono::seconds(20);
  options.connection_count_max = 1;
  {
    Loopback broker({}, options);
    const Peer first(broker);
    REQUIRE(broker.run_until([&broker] { return broker.connections->figures().open == 1; }));
    Peer second(broker);
    REQUIRE(broker.run_until([&second] { return second.ended(); }));
    CHECK(second.got("This listener has as many connections"));
  }
  options.connection_count_max = 0;
  options.connection_rate_max = 2;
  Loopback broker({}, options);
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 5; ++i)
    peers.push_back(std::make_unique<Peer>(broker));
  REQUIRE(broker.run_until([&broker] { return broker.connections->figures().total == 5; }));
  CHECK(broker.connections->figures().turned_away >= 1);
  CHECK(broker.connections->figures().open <= 4);
}

TEST_CASE("whom the porter does not let in gets his sentence and no session") {
  Loopback broker({}, listener_of(Scheme::kTcp));
  broker.porter.refusal = "Too many connections of your address.";
  Peer peer(broker);
  REQUIRE(broker.run_until([&peer] { return peer.ended(); }));
  CHECK(peer.got("ERROR\nmessage:Too many connections\n"));
  CHECK(peer.got("Too many connections of your address.\n"));
  CHECK(broker.porter.inside == 0);
  broker.porter.refusal.clear();
  {
    const Peer other(broker);
    REQUIRE(broker.run_until([&broker] { return broker.porter.inside == 1; }));
  }
  REQUIRE(broker.run_until([&broker] { return broker.porter.inside == 0; }));
}

}  // namespace
}  // namespace stompbox::net

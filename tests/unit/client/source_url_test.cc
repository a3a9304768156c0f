#include "broker/client/source_url.h"

#include <doctest/doctest.h>

#include "broker/client/failover.h"

using namespace stompbox::client;
using namespace std::chrono_literals;

TEST_CASE("a source names brokers in order, a login and a queue") {
  const auto source =
      parse_source_url("stomp://puppet:p%40ss%3a@mq1:61613,mq2,[::1]:7/queue/cat%20alog");
  REQUIRE(source);
  CHECK(source->login == "puppet");
  CHECK(source->passcode == "p@ss:");
  REQUIRE(source->brokers.size() == 3);
  CHECK(source->brokers[0] == BrokerUrl{"mq1", "61613", Transport::kPlain});
  CHECK(source->brokers[1] == BrokerUrl{"mq2", "61613", Transport::kPlain});
  CHECK(source->brokers[2] == BrokerUrl{"::1", "7", Transport::kPlain});
  CHECK(source->destination == "/queue/cat alog");
}

TEST_CASE("login, port and queue of a source may be left out") {
  const auto source = parse_source_url("stomps://mq1/");
  REQUIRE(source);
  CHECK(source->login.empty());
  CHECK(source->destination.empty());
  CHECK(source->brokers[0] == BrokerUrl{"mq1", "61614", Transport::kTls});
}

TEST_CASE("a source shows neither user nor passcode") {
  const auto source = parse_source_url("stomp://puppet:secret@mq1:1,[::1]:2/queue/catalog");
  REQUIRE(source);
  CHECK(to_text(*source) == "stomp://mq1:1,[::1]:2/queue/catalog");
}

TEST_CASE("what is no source is refused without showing the passcode") {
  for (const char* text :
       {"", "mq1:61613", "http://mq1", "stomp://", "stomp:///queue/a", "stomp://a:b@/queue/a",
        "stomp://mq1:0/q", "stomp://mq1,,mq2/q", "stomp://sec%ret@mq1/q", "stomp://sec%0Aret@mq1/q",
        "stomp://mq1/queue/%4"}) {
    CAPTURE(text);
    const auto source = parse_source_url(text);
    REQUIRE_FALSE(source);
    CHECK(source.error().text.find("sec") == std::string::npos);
    CHECK(source.error().text.find("stomp://user@host:61613/queue/catalog") != std::string::npos);
  }
}

TEST_CASE("brokers are tried in their order, with a growing pause behind the last") {
  Failover failover(2, {250ms, 1s});
  Failover::TimePoint now{};
  const auto fail = [&failover, &now] {
    failover.failed(now);
    const auto pause = failover.next_try() - now;
    now = failover.next_try();
    return pause;
  };
  CHECK(failover.current() == 0);
  CHECK(fail() == 0ms);
  CHECK(failover.current() == 1);
  for (const auto pause : {250ms, 500ms, 1000ms, 1000ms}) {
    CHECK(fail() == pause);
    CHECK(failover.current() == 0);
    CHECK(fail() == 0ms);
    CHECK(failover.current() == 1);
  }
}

TEST_CASE("after a connection that was of use the first broker is tried at once") {
  Failover failover(3, {250ms, 1s});
  Failover::TimePoint now{};
  for (int i = 0; i < 4; ++i)
    failover.failed(now);
  CHECK(failover.current() == 1);
  failover.worked();
  failover.failed(now);
  CHECK(failover.current() == 0);
  CHECK(failover.next_try() == now);
  failover.failed(now);
  CHECK(failover.current() == 1);
}

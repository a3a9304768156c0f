#include "broker/net/listen_address.h"

#include <tuple>

#include <doctest/doctest.h>

namespace stompbox::net {
namespace {

Reach reach(const char* text) {
  return reach_of(*parse_listen_address(text));
}

TEST_CASE("a listen address is tcp, a numeric address and a port") {
  CHECK(*parse_listen_address("tcp://127.0.0.1:61613") == ListenAddress{"127.0.0.1", 61613});
  CHECK(*parse_listen_address("tcp://[::1]:0") == ListenAddress{"::1", 0});
  CHECK(*parse_listen_address("tcp://0.0.0.0:65535") == ListenAddress{"0.0.0.0", 65535});
}

TEST_CASE("the scheme says what is spoken, and has other names") {
  for (const auto& [text, scheme, shown] :
       {std::tuple{"tls://127.0.0.1:1", Scheme::kTls, "tls://127.0.0.1:1"},
        std::tuple{"stomps://127.0.0.1:1", Scheme::kTls, "tls://127.0.0.1:1"},
        std::tuple{"ssl://127.0.0.1:1", Scheme::kTls, "tls://127.0.0.1:1"},
        std::tuple{"stomp://127.0.0.1:1", Scheme::kTcp, "tcp://127.0.0.1:1"},
        std::tuple{"ws://127.0.0.1:1", Scheme::kWs, "ws://127.0.0.1:1"},
        std::tuple{"wss://127.0.0.1:1", Scheme::kWss, "wss://127.0.0.1:1"},
        std::tuple{"auto://127.0.0.1:1", Scheme::kAuto, "auto://127.0.0.1:1"}}) {
    const auto address = parse_listen_address(text);
    REQUIRE(address);
    CHECK(address->scheme == scheme);
    CHECK(to_text(*address) == shown);
  }
}

TEST_CASE("localhost and * stand for addresses, without asking anybody") {
  CHECK(*parse_listen_address("tcp://localhost:1") == ListenAddress{"127.0.0.1", 1});
  CHECK(*parse_listen_address("tcp://*:1") == ListenAddress{"0.0.0.0", 1});
}

TEST_CASE("what is no listen address is refused with a sentence") {
  for (const char* text :
       {"", "127.0.0.1:61613", "tcp://127.0.0.1", "tcp://127.0.0.1:", "tcp://127.0.0.1:65536",
        "tcp://127.0.0.1:-1", "tcp://127.0.0.1:x", "tcp://broker.example:61613", "tcp://::1:61613",
        "tcp://[::1]", "tcp://[127.0.0.1]:1", "tcp://256.0.0.1:1", "udp://127.0.0.1:1", "tcp://:1",
        "tcp://127.0.0.1:1 "}) {
    CAPTURE(text);
    REQUIRE_FALSE(parse_listen_address(text).has_value());
    CHECK(parse_listen_address(text).error().code == storage::ErrorCode::kInvalid);
  }
}

TEST_CASE("a shown address reads back as itself") {
  for (const char* text : {"tcp://127.0.0.1:61613", "tcp://[::1]:1", "tcp://[fe80::1]:2"}) {
    CHECK(to_text(*parse_listen_address(text)) == text);
  }
}

TEST_CASE("only loopback addresses stay on this machine") {
  CHECK(reach("tcp://127.0.0.1:1") == Reach::kThisMachine);
  CHECK(reach("tcp://127.8.9.1:1") == Reach::kThisMachine);
  CHECK(reach("tcp://[::1]:1") == Reach::kThisMachine);
  CHECK(reach("tcp://0.0.0.0:1") == Reach::kOtherMachines);
  CHECK(reach("tcp://[::]:1") == Reach::kOtherMachines);
  CHECK(reach("tcp://192.168.0.1:1") == Reach::kOtherMachines);
  CHECK(reach("tcp://[::ffff:127.0.0.1]:1") == Reach::kOtherMachines);
}

}  // namespace
}  // namespace stompbox::net

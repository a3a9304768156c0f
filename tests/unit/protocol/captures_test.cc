// Bytes that real Puppet masters sent, and those that a real puppetqd got.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "protocol/encoder.h"
#include "tests/unit/protocol/decoding.h"

namespace stompbox::protocol {
namespace {

std::string read_capture(std::string_view name) {
  std::ifstream file(std::string(STOMPBOX_TEST_DATA "/captures/").append(name), std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string commands(const Events& events) {
  std::string text;
  for (const DecodeEvent& event : events) {
    const auto* const frame = std::get_if<Frame>(&event);
    text.append(frame != nullptr ? to_text(frame->command) : "error").append(" ");
  }
  return text;
}

void check_catalogs(std::string_view name, std::string_view expected_commands,
                    std::string_view destination) {
  CAPTURE(name);
  const Events events = decode(read_capture(name), k10);
  REQUIRE(commands(events) == expected_commands);
  for (std::size_t i = 1; i < events.size(); ++i) {
    const Frame& frame = std::get<Frame>(events[i]);
    CHECK(frame.headers.find("destination") == destination);
    CHECK(frame.headers.find("content-length") == std::to_string(frame.body.size()));
    CHECK(frame.body.starts_with("{"));
    CHECK(frame.body.ends_with("}"));
    CHECK_FALSE(frame.short_length_mended);
  }
}

TEST_CASE("what masters sent is read whole, however it is cut") {
  for (const char* const name :
       {"catalog-0.25.5.bin", "catalog-2.7.26.bin", "catalog-3.8.7.bin", "catalog2-3.8.7.bin"}) {
    check_catalogs(name, "CONNECT SEND SEND SEND ", "/queue/catalog");
  }
  check_catalogs("edge-3.8.7.bin", "CONNECT SEND ", "/queue/catalog");
  check_catalogs("login-3.8.7.bin", "CONNECT SEND ", "/queue/catalog");
  check_catalogs("facts-3.8.7.bin", "CONNECT SEND SEND SEND SEND SEND SEND ", "/queue/facts");
}

TEST_CASE("what a puppetqd sent is read") {
  const Events events = decode(read_capture("puppetqd-3.8.7-in.bin"), k10);
  CHECK(commands(events) == "CONNECT SUBSCRIBE ACK ACK ACK ");
  CHECK(to_text(std::get<Frame>(events[1]).headers) ==
        "ack=client;id=d4c5be4733ee80f8a6b87893297c71c48ed066b6;destination=/queue/catalog;"
        "content-length=0;content-type=text/plain; charset=UTF-8;");
}

TEST_CASE("what a broker sent to a puppetqd is read on the client's side") {
  const Events events = decode(read_capture("puppetqd-3.8.7-out.bin"),
                               {.version = Version::k10, .side = Side::kClient});
  CHECK(commands(events) == "CONNECTED MESSAGE MESSAGE MESSAGE ");
  for (std::size_t i = 1; i < events.size(); ++i) {
    const Frame& frame = std::get<Frame>(events[i]);
    CHECK(frame.headers.find("content-length") == std::to_string(frame.body.size()));
  }
}

TEST_CASE("the oldest gems' padded headers are read") {
  using namespace std::string_view_literals;
  const Events events = decode(
      "CONNECT\nlogin:\npasscode:\ncontent-length: 0\ncontent-type: text/plain; charset=UTF-8\n\n\0"
      "SEND\npersistent:true\ndestination:/queue/catalog\ncontent-length: 2\n"
      "content-type: text/plain; charset=UTF-8\n\n{}\0"sv,
      k10);
  REQUIRE(commands(events) == "CONNECT SEND ");
  CHECK(std::get<Frame>(events[0]).headers.find("login") == "");
  CHECK(std::get<Frame>(events[1]).headers.find("content-type") == "text/plain; charset=UTF-8");
  CHECK(std::get<Frame>(events[1]).body == "{}");
}

}  // namespace
}  // namespace stompbox::protocol

// Facts D4, E1 and E2: versions and heart-beats.
#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string_view>

#include "protocol/heart_beat.h"
#include "protocol/version.h"

namespace stompbox::protocol {
namespace {

using namespace std::chrono_literals;

TEST_CASE("D4: the highest version in both lists is agreed on, in whatever order they stand") {
  CHECK(negotiate("1.0") == Version::k10);
  CHECK(negotiate("1.0,1.1") == Version::k11);
  CHECK(negotiate("1.0,1.1,1.2") == Version::k12);
  CHECK(negotiate("1.2,1.1,1.0") == Version::k12);
  CHECK(negotiate("1.1,1.0") == Version::k11);
}

TEST_CASE("D4: blanks and unknown entries of the list do not matter") {
  CHECK(negotiate(" 1.0 , 1.1\t") == Version::k11);
  CHECK(negotiate("2.0,1.1,banana,,1.3") == Version::k11);
  CHECK(negotiate("1.2,") == Version::k12);
}

TEST_CASE("D4: there may be no common version") {
  for (const std::string_view list : {"", ",", "2.0", "1.3,1.4", "1.20", "1", "01.2"}) {
    CAPTURE(list);
    CHECK_FALSE(negotiate(list));
  }
}

TEST_CASE("the text of a version is what negotiate reads") {
  for (const Version version : {Version::k10, Version::k11, Version::k12}) {
    CHECK(negotiate(to_text(version)) == version);
  }
}

TEST_CASE("E1: a heart-beat is two whole numbers of milliseconds") {
  CHECK(parse_heart_beat("0,0") == HeartBeat{});
  CHECK(parse_heart_beat("10000,20000") == HeartBeat{10s, 20s});
  CHECK(parse_heart_beat("30500,29500") == HeartBeat{30500ms, 29500ms});
  CHECK(parse_heart_beat(" 1 , 2 ") == HeartBeat{1ms, 2ms});
  CHECK(to_text(HeartBeat{30500ms, 0ms}) == "30500,0");
}

TEST_CASE("E1: a malformed heart-beat is nothing") {
  for (const std::string_view text :
       {"", ",", "1", "1,", ",1", "-1,0", "+1,0", "1,2,3", "1.5,0", "a,b", "1 0,2", "0x1,0"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_heart_beat(text));
  }
}

TEST_CASE("E1: more than a day is a day") {
  CHECK(parse_heart_beat("86400001,99999999999999999999999") == HeartBeat{24h, 24h});
  CHECK(parse_heart_beat("86400000,86399999") == HeartBeat{24h, 86399999ms});
}

TEST_CASE("E2: each way beats if both sides say so, at the larger of the two intervals") {
  const auto agreed = [](HeartBeat client, HeartBeat server) { return agree(client, server); };
  CHECK(agreed({0ms, 0ms}, {1s, 1s}) == AgreedBeats{0ms, 0ms});
  CHECK(agreed({5s, 6s}, {0ms, 0ms}) == AgreedBeats{0ms, 0ms});
  CHECK(agreed({5s, 0ms}, {1s, 2s}) == AgreedBeats{5s, 0ms});
  CHECK(agreed({1s, 0ms}, {0ms, 2s}) == AgreedBeats{2s, 0ms});
  CHECK(agreed({0ms, 3s}, {4s, 0ms}) == AgreedBeats{0ms, 4s});
  CHECK(agreed({30500ms, 29500ms}, {10s, 10s}) == AgreedBeats{30500ms, 29500ms});
}

}  // namespace
}  // namespace stompbox::protocol

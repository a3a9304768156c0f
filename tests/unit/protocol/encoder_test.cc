// What the encoder writes, and that the decoder reads it back.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "protocol/encoder.h"
#include "tests/unit/protocol/decoding.h"

namespace stompbox::protocol {
namespace {

using namespace std::string_view_literals;

std::string encode(Version version, const Frame& frame) {
  std::string bytes;
  append_frame(bytes, version, frame);
  return bytes;
}

// The headers without content-length, which the encoder adds.
std::string own_headers(const Frame& frame) {
  Headers headers;
  for (std::size_t i = 0; i < frame.headers.size(); ++i) {
    const auto [name, value] = frame.headers.at(i);
    if (name != "content-length") headers.add(name, value);
  }
  return to_text(headers);
}

void check_round_trip(const Stance& stance, const Frame& frame) {
  const Frame read = decode_frame(encode(stance.version, frame), stance);
  CHECK(read.command == frame.command);
  CHECK(read.body == frame.body);
  CHECK(own_headers(read) == own_headers(frame));
}

TEST_CASE("a frame without a body has no content-length") {
  Frame frame;
  frame.command = Command::kReceipt;
  frame.headers.add("receipt-id", "1");
  frame.headers.add("content-length", "7");
  CHECK(encode(Version::k12, frame) == "RECEIPT\nreceipt-id:1\n\n\0"sv);
}

TEST_CASE("what is written in a version is read back the same in it") {
  const std::vector<std::string_view> bodies = {"", "x", "a\0b\0"sv, "\n\r\n", "\xFF\xFE"};
  for (const Stance& stance : kEvery) {
    for (const std::string_view body : bodies) {
      Frame frame;
      frame.headers.add("destination", "/queue/a:b");
      frame.headers.add("backslash", "C:\\temp\\new");
      frame.headers.add("empty", "");
      frame.headers.add("twice", "1");
      frame.headers.add("twice", "2");
      frame.headers.add("\xC3\xA4", "\xF0\x9F\x90\x98");
      if (stance.version != Version::k10) frame.headers.add(" a:\n", " b:\n\\n ");
      if (stance.version != Version::k10) frame.headers.add("cr", "\r\n\r");
      frame.body = body;
      check_round_trip(stance, frame);
    }
  }
}

TEST_CASE("a login frame is read back the same whatever the version") {
  for (Stance stance : kEvery) {
    Frame frame;
    frame.command = Command::kConnect;
    frame.headers.add("accept-version", "1.0,1.1,1.2");
    frame.headers.add("passcode", " a\\nb:c\\");
    check_round_trip(stance, frame);
    stance.side = Side::kClient;
    Frame answer;
    answer.command = Command::kConnected;
    answer.headers.add("version", "1.2");
    answer.headers.add("server", "stompbox/1 \\o/");
    check_round_trip(stance, answer);
  }
}

TEST_CASE("a block in 1.2 form goes out in each version's form") {
  std::string block;
  append_header(block, Version::k12, "plain", "text/plain; charset=UTF-8");
  append_header(block, Version::k12, "", "");
  append_header(block, Version::k12, "a:b", "c:\\\r\n");
  const auto block_for = [&block](Version version) {
    std::string out = ">";
    append_block_for(out, version, block, false);
    return out;
  };
  CHECK(block_for(Version::k12) == ">" + block);
  CHECK(block_for(Version::k11) == ">plain:text/plain; charset=UTF-8\n:\na\\cb:c\\c\\\\\r\\n\n");
  CHECK(block_for(Version::k10) == ">plain:text/plain; charset=UTF-8\n:\na b:c:\\  \n");
}

TEST_CASE("a plain block goes out as it is") {
  for (const Version version : {Version::k10, Version::k11, Version::k12}) {
    std::string out;
    append_block_for(out, version, "a:b\nc: d\n", true);
    CHECK(out == "a:b\nc: d\n");
  }
}

TEST_CASE("a block gives back the headers that were written into it") {
  Headers headers;
  headers.add("plain", "1");
  headers.add("a:b", "c:\\d\r\n");
  headers.add("empty", "");
  headers.add("plain", "2");
  std::string block;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    append_header(block, Version::k12, headers.at(i).name, headers.at(i).value);
  }
  CHECK(parse_block(block) == headers);
  CHECK(parse_block("").empty());
}

TEST_CASE("a damaged block is read as far as it makes sense") {
  CHECK(to_text(parse_block("a\\tb:c\\\nno colon\nlast:1")) == "a\\tb=c\\;no colon=;last=1;");
}

TEST_CASE("a text needs an escape if it would not come out as it is") {
  for (const std::string_view text : {""sv, "plain"sv, " text/plain; charset=UTF-8 "sv, "\xFF"sv}) {
    CHECK_FALSE(needs_escape(text));
  }
  for (const std::string_view text : {"a:b"sv, "\\"sv, "x\n"sv, "x\r"sv, "x\0"sv}) {
    CHECK(needs_escape(text));
  }
}

}  // namespace
}  // namespace stompbox::protocol

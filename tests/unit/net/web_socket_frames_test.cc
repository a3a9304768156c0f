#include "broker/net/web_socket_frames.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/net/web_socket_client.h"

namespace stompbox::net {
namespace {

using testing::masked;
using End = WebSocketReader::End;

struct Read {
  std::string bytes;
  std::string replies;
  End end = End::kNone;
  CloseCode code = CloseCode::kNormal;
};

Read read(WebSocketReader& reader, std::string bytes, std::size_t piece) {
  Read all;
  for (std::size_t at = 0; at < bytes.size() && all.end == End::kNone; at += piece) {
    std::string part = bytes.substr(at, piece);
    const auto taken = reader.take({part.data(), part.size()}, all.replies);
    all.bytes.append(part, 0, taken.bytes);
    all.end = taken.end;
  }
  all.code = reader.close_code();
  return all;
}

Read read(const std::string& bytes, std::size_t piece = 1'000'000) {
  WebSocketReader reader;
  return read(reader, bytes, piece);
}

TEST_CASE("messages are unmasked, whatever their size and however they are cut") {
  std::string sent;
  std::string wanted;
  for (const std::size_t size : {0UL, 1UL, 7UL, 125UL, 126UL, 65'535UL, 65'536UL, 70'001UL}) {
    const std::string body(size, static_cast<char>('a' + size % 26));
    sent += masked(Opcode::kBinary, body);
    wanted += body;
  }
  for (const std::size_t piece : {1UL, 2UL, 3UL, 13UL, 4096UL, 10'000'000UL}) {
    CAPTURE(piece);
    const Read all = read(sent, piece);
    CHECK(all.end == End::kNone);
    CHECK(all.bytes == wanted);
  }
}

TEST_CASE("fragments are one stream, with control frames between them") {
  const std::string sent = masked(Opcode::kText, "CONN", Fragment::kMoreFollow) +
                           masked(Opcode::kPing, "are you there") +
                           masked(Opcode::kContinuation, "EC", Fragment::kMoreFollow) +
                           masked(Opcode::kPong, "") + masked(Opcode::kContinuation, "T\n");
  for (const std::size_t piece : {1UL, 5UL, 1000UL}) {
    const Read all = read(sent, piece);
    CHECK(all.bytes == "CONNECT\n");
    CHECK(all.replies == std::string("\x8a\x0d", 2) + "are you there");
    CHECK(all.end == End::kNone);
  }
}

TEST_CASE("the kind is that of the last message") {
  WebSocketReader reader;
  static_cast<void>(read(reader, masked(Opcode::kText, "a"), 100));
  CHECK(reader.kind() == Opcode::kText);
  static_cast<void>(read(reader, masked(Opcode::kBinary, "a") + masked(Opcode::kPing, ""), 100));
  CHECK(reader.kind() == Opcode::kBinary);
}

TEST_CASE("what a client may not send ends with a protocol error") {
  std::string unmasked;
  append_frame_head(unmasked, Opcode::kText, Fragment::kLast, 1);
  unmasked += "x";
  std::string reserved = masked(Opcode::kText, "x");
  reserved[0] = static_cast<char>(0xc1);
  std::string huge = masked(Opcode::kBinary, std::string(70'000, 'x'));
  huge[2] = static_cast<char>(0xff);
  const std::vector<std::string> faults = {
      unmasked,
      reserved,
      huge,
      masked(static_cast<Opcode>(3), "x"),
      masked(static_cast<Opcode>(11), "x"),
      masked(Opcode::kContinuation, "x"),
      masked(Opcode::kText, "x", Fragment::kMoreFollow) + masked(Opcode::kText, "y"),
      masked(Opcode::kPing, "x", Fragment::kMoreFollow),
      masked(Opcode::kPing, std::string(126, 'x')),
      masked(Opcode::kClose, "x"),
      masked(Opcode::kClose, std::string("\x03\xed", 2)),  // 1005 is never sent
  };
  for (std::size_t i = 0; i < faults.size(); ++i) {
    CAPTURE(i);
    for (const std::size_t piece : {1UL, 100'000UL}) {
      const Read all = read(faults[i] + masked(Opcode::kText, "after"), piece);
      CHECK(all.end == End::kFault);
      CHECK(all.code == CloseCode::kProtocolError);
      CHECK(all.bytes.find("after") == std::string::npos);
    }
  }
}

TEST_CASE("a text that is not UTF-8 ends with its own code, a binary one is welcome") {
  for (const std::string text : {"\xff", "\xc3\x28", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xc3"}) {
    CHECK(read(masked(Opcode::kText, text)).end == End::kFault);
    CHECK(read(masked(Opcode::kText, text)).code == CloseCode::kNotUtf8);
    CHECK(read(masked(Opcode::kBinary, text)).bytes == text);
  }
  const std::string cut =
      masked(Opcode::kText, "\xc3", Fragment::kMoreFollow) + masked(Opcode::kContinuation, "\xa4");
  CHECK(read(cut).bytes == "\xc3\xa4");
}

TEST_CASE("a close frame ends the input with its code") {
  const Read said =
      read(masked(Opcode::kText, "a") + masked(Opcode::kClose, std::string("\x03\xe9", 2) + "bye") +
           masked(Opcode::kText, "b"));
  CHECK(said.end == End::kClosed);
  CHECK(said.code == CloseCode::kGoingAway);
  CHECK(said.bytes == "a");
  CHECK(read(masked(Opcode::kClose, "")).code == CloseCode::kNoStatus);
}

TEST_CASE("heads of our frames use the shortest length") {
  const auto head = [](std::size_t size) {
    std::string out;
    append_frame_head(out, Opcode::kBinary, Fragment::kLast, size);
    return out;
  };
  CHECK(head(125) == std::string("\x82\x7d", 2));
  CHECK(head(126) == std::string("\x82\x7e\x00\x7e", 4));
  CHECK(head(65'536) == std::string("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10));
  std::string close;
  append_close(close, CloseCode::kPolicy, std::string(200, 'x'));
  CHECK(close.size() == 2 + 125);
}

TEST_CASE("UTF-8 is judged the same however it is cut") {
  const std::string good = "plain ascii, long enough \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 end";
  for (std::size_t cut = 0; cut <= good.size(); ++cut) {
    Utf8Check check;
    CHECK(check.take(std::string_view(good).substr(0, cut)));
    CHECK(check.take(std::string_view(good).substr(cut)));
    CHECK(check.is_whole());
  }
  for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80", "aaaaaaaaaaaa\xfe", "\xe2\x82"}) {
    CHECK_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace stompbox::net

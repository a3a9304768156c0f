// Facts C1 to C9: body and content-length.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "protocol/encoder.h"
#include "tests/unit/protocol/decoding.h"

namespace stompbox::protocol {
namespace {

using namespace std::string_view_literals;

constexpr Stance kClient10{.version = Version::k10, .side = Side::kClient};
constexpr Stance kClient12{.version = Version::k12, .side = Side::kClient};

std::string send_with_length(std::string_view length, std::string_view rest) {
  return "SEND\ncontent-length:" + std::string(length) + "\n\n" + std::string(rest);
}

TEST_CASE("C1: an announced body is read whatever its octets are") {
  for (const Stance& stance : kEvery) {
    const Frame frame = decode_frame(send_with_length("6", "a\0\n\r\0b\0"sv), stance);
    CHECK(frame.body == "a\0\n\r\0b"sv);
    CHECK_FALSE(frame.short_length_mended);
  }
}

TEST_CASE("C1: without a NUL after the announced body, 1.1 and later give an error") {
  for (const Stance& stance : {k11, k12}) {
    const ProtocolError error =
        decode_error("SEND\nreceipt:7\ncontent-length:3\n\nabcd\0"sv, stance);
    CHECK(error.kind == ProtocolErrorKind::kBadContentLength);
    CHECK(error.receipt == "7");
  }
  CHECK(error_kind("MESSAGE\ncontent-length:3\n\nabcd\0"sv, kClient10) ==
        ProtocolErrorKind::kBadContentLength);
  CHECK(error_kind("SUBSCRIBE\ncontent-length:3\n\nabcd\0"sv, k10) ==
        ProtocolErrorKind::kBadContentLength);
}

TEST_CASE("C1: a 1.0 SEND with too short a length is mended up to the next NUL") {
  const Events events = decode(send_with_length("9", "{\"a\":\"\xC3\xA9\"}\0SEND\n\nx\0"sv), k10);
  REQUIRE(events.size() == 2);
  CHECK(std::get<Frame>(events[0]).body == "{\"a\":\"\xC3\xA9\"}");
  CHECK(std::get<Frame>(events[0]).short_length_mended);
  CHECK(std::get<Frame>(events[1]).body == "x");
  CHECK_FALSE(std::get<Frame>(events[1]).short_length_mended);
  CHECK(decode_frame(send_with_length("0", "abc\0"sv), k10).body == "abc");
}

TEST_CASE("C1: mending stays within the limit of bodies") {
  Stance stance = k10;
  stance.limits.body_bytes_max = 8;
  CHECK(decode_frame(send_with_length("3", "abcdefgh\0"sv), stance).body == "abcdefgh");
  CHECK(error_kind(send_with_length("3", "abcdefghi"), stance) == ProtocolErrorKind::kTooLarge);
}

TEST_CASE("C2: without a length the body ends at the first NUL") {
  for (const Stance& stance : kEvery) {
    const Events events = decode("SEND\n\nline\r\nline\n\0SEND\n\n\0"sv, stance);
    REQUIRE(events.size() == 2);
    CHECK(std::get<Frame>(events[0]).body == "line\r\nline\n");
    CHECK(std::get<Frame>(events[1]).body.empty());
  }
}

TEST_CASE("C3: content-length is obeyed on every frame") {
  for (const Stance& stance : kEvery) {
    CHECK(decode_frame("ACK\nid:1\ncontent-length:0\n\n\0"sv, stance).body.empty());
    CHECK(decode_headers("CONNECT\naccept-version:1.1\ncontent-length:0\n\n\0"sv, stance) ==
          "accept-version=1.1;content-length=0;");
  }
  const Events events = decode("SUBSCRIBE\ncontent-length:3\n\na\0b\0SEND\n\nx\0"sv, k10);
  REQUIRE(events.size() == 2);
  CHECK(std::get<Frame>(events[1]).body == "x");
}

TEST_CASE("C4: a body on another frame than SEND is an error in 1.1 and later") {
  for (const Stance& stance : {k11, k12}) {
    for (const std::string_view command : {"SUBSCRIBE", "ACK", "BEGIN", "DISCONNECT"}) {
      const std::string head = std::string(command) + "\nreceipt:1\n";
      const ProtocolError error = decode_error(head + "\nx", stance);
      CHECK(error.kind == ProtocolErrorKind::kBodyNotAllowed);
      CHECK(error.receipt == "1");
      CHECK(error.detail == std::string(command) + " has no body");
      CHECK(error_kind(head + "content-length:9\n\n", stance) ==
            ProtocolErrorKind::kBodyNotAllowed);
    }
  }
}

TEST_CASE("C4: a body on another frame than SEND is dropped in 1.0") {
  for (const std::string_view head : {"SUBSCRIBE\n\n", "SUBSCRIBE\ncontent-length:4\n\n"}) {
    const Events events = decode(std::string(head) + "body" + '\0' + "SEND\n\nx" + '\0', k10);
    REQUIRE(events.size() == 2);
    CHECK(std::get<Frame>(events[0]).command == Command::kSubscribe);
    CHECK(std::get<Frame>(events[0]).body.empty());
    CHECK(std::get<Frame>(events[1]).body == "x");
  }
}

TEST_CASE("C4: to a client MESSAGE and ERROR have bodies, RECEIPT and CONNECTED have none") {
  CHECK(decode_frame("MESSAGE\n\nx\0"sv, kClient12).body == "x");
  CHECK(decode_frame("ERROR\ncontent-length:1\n\n\0\0"sv, kClient12).body == "\0"sv);
  CHECK(error_kind("RECEIPT\nreceipt-id:1\n\nx\0"sv, kClient12) ==
        ProtocolErrorKind::kBodyNotAllowed);
  CHECK(error_kind("CONNECTED\nversion:1.2\n\nx\0"sv, kClient12) ==
        ProtocolErrorKind::kBodyNotAllowed);
  CHECK(decode_frame("RECEIPT\nreceipt-id:1\n\nx\0"sv, kClient10).body.empty());
}

TEST_CASE("C5: a written frame with a body carries its content-length, NULs or not") {
  for (const Version version : {Version::k10, Version::k11, Version::k12}) {
    Frame frame;
    frame.command = Command::kMessage;
    frame.headers.add("message-id", "1");
    frame.body = "a\0b"sv;
    std::string bytes;
    append_frame(bytes, version, frame);
    CHECK(bytes == "MESSAGE\ncontent-length:3\nmessage-id:1\n\na\0b\0"sv);
  }
}

TEST_CASE("C6: content-type passes through, and none is invented") {
  Frame frame;
  frame.command = Command::kError;
  frame.body = "text";
  std::string bytes;
  append_frame(bytes, Version::k12, frame);
  CHECK(bytes == "ERROR\ncontent-length:4\n\ntext\0"sv);
  frame.headers.add("content-type", "text/plain; charset=UTF-8");
  bytes.clear();
  append_frame(bytes, Version::k12, frame);
  CHECK(bytes == "ERROR\ncontent-length:4\ncontent-type:text/plain; charset=UTF-8\n\ntext\0"sv);
}

TEST_CASE("C7: a content-length that is no number, negative or overflowing is an error") {
  for (const Stance& stance : kEvery) {
    for (const std::string_view length : {"", "x", "1x", "-1", "+1", "1.0", "0x1", "1 2",
                                          "18446744073709551616", "99999999999999999999999999"}) {
      CAPTURE(length);
      const ProtocolError error = decode_error(send_with_length(length, "\0"sv), stance);
      CHECK(error.kind == ProtocolErrorKind::kBadContentLength);
      CHECK(error.message == "Bad content-length");
    }
  }
}

TEST_CASE("C7: of several lengths the first wins") {
  for (const Stance& stance : kEvery) {
    CHECK(decode_frame("SEND\ncontent-length:2\ncontent-length:5\n\nab\0"sv, stance).body == "ab");
  }
}

TEST_CASE("blanks round the number of a content-length are taken in every version") {
  for (const Stance& stance : kEvery) {
    CHECK(decode_frame(send_with_length(" 2 ", "ab\0"sv), stance).body == "ab");
    CHECK(decode_frame("CONNECT\ncontent-length: 0\n\n\0"sv, stance).command == Command::kConnect);
  }
}

TEST_CASE("C8: a length beyond the limit is refused before a byte of the body comes") {
  Stance stance;
  stance.limits.body_bytes_max = 10;
  CHECK(decode_frame(send_with_length("10", "0123456789\0"sv), stance).body.size() == 10);
  const ProtocolError error = decode_error(send_with_length("11", ""), stance);
  CHECK(error.kind == ProtocolErrorKind::kTooLarge);
  CHECK(error.detail == "A body may have 10 bytes");
  CHECK(error_kind(send_with_length("18446744073709551615", "")) == ProtocolErrorKind::kTooLarge);
}

TEST_CASE("C9: the first header of a written frame with a body is the one content-length") {
  Frame frame;
  frame.headers.add("x-content-length", "99");
  frame.headers.add("content-length", "98");
  frame.body = "abc";
  std::string bytes;
  append_frame(bytes, Version::k12, frame);
  CHECK(bytes == "SEND\ncontent-length:3\nx-content-length:99\n\nabc\0"sv);
}

}  // namespace
}  // namespace stompbox::protocol

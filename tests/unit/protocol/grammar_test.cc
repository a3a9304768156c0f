// Facts A1 to A14: the byte stream and the grammar of frames.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "tests/unit/protocol/decoding.h"

namespace stompbox::protocol {
namespace {

using namespace std::string_view_literals;

TEST_CASE("A1: a frame is a command, headers, a blank line, a body and a NUL") {
  const Frame frame = decode_frame("SEND\ndestination:/queue/a\nreceipt:1\n\nhello\0"sv);
  CHECK(frame.command == Command::kSend);
  CHECK(to_text(frame.headers) == "destination=/queue/a;receipt=1;");
  CHECK(frame.body == "hello");
  CHECK_FALSE(frame.short_length_mended);
}

TEST_CASE("A1: several frames in one read come one by one, in order") {
  const Events events = decode("SEND\na:1\n\nx\0\nACK\nid:2\n\n\0SEND\n\ny\0"sv);
  REQUIRE(events.size() == 3);
  CHECK(std::get<Frame>(events[0]).body == "x");
  CHECK(std::get<Frame>(events[1]).command == Command::kAck);
  CHECK(std::get<Frame>(events[2]).body == "y");
}

TEST_CASE("A1: every client command is known, in every version") {
  for (const Stance& stance : kEvery) {
    for (const std::string_view command :
         {"CONNECT", "STOMP", "SEND", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "NACK", "BEGIN", "COMMIT",
          "ABORT", "DISCONNECT"}) {
      CAPTURE(command);
      const Frame frame = decode_frame(std::string(command) + "\n\n" + '\0', stance);
      CHECK(to_text(frame.command) == command);
      CHECK(frame.headers.empty());
    }
  }
}

TEST_CASE("A1: an unfinished frame is no event") {
  for (const std::string_view bytes : {"", "SEND", "SEND\n", "SEND\na:b\n", "SEND\na:b\n\nbody"}) {
    CHECK(decode(bytes).empty());
  }
}

TEST_CASE("A2: 1.2 takes CR LF and LF as line ends, mixed freely") {
  const Events events =
      decode("SEND\r\na:1\nb:2\r\n\r\nx\0\r\n\n\r\nSEND\nc:3\r\n\ny\0\r\n"sv, k12);
  REQUIRE(events.size() == 2);
  CHECK(to_text(std::get<Frame>(events[0]).headers) == "a=1;b=2;");
  CHECK(std::get<Frame>(events[0]).body == "x");
  CHECK(to_text(std::get<Frame>(events[1]).headers) == "c=3;");
  CHECK(std::get<Frame>(events[1]).body == "y");
}

TEST_CASE("A3: CONNECT and STOMP may come with CR LF whatever the version") {
  for (const Stance& stance : kEvery) {
    CHECK(decode_headers("CONNECT\r\naccept-version:1.1\r\nlogin:a\r\n\r\n\0"sv, stance) ==
          "accept-version=1.1;login=a;");
    CHECK(decode_headers("STOMP\r\nlogin:a\r\n\r\n\0\r\n"sv, stance) == "login=a;");
  }
}

TEST_CASE("A3: after CONNECT a CR is header data in 1.1") {
  CHECK(decode_headers("SEND\na:1\r\nb:2\n\n\0"sv, k11) == "a=1\r;b=2;");
  CHECK(error_kind("SEND\na:1\n\r\n\0"sv, k11) == ProtocolErrorKind::kBadHeader);
  CHECK(error_kind("SEND\r\na:1\n\n\0"sv, k11) == ProtocolErrorKind::kBadCommand);
}

TEST_CASE("A3: after CONNECT a CR is trimmed away in 1.0") {
  CHECK(decode_headers("SEND\r\na:1\r\nb:2\n\r\n\0"sv, k10) == "a=1;b=2;");
}

TEST_CASE("A4: any number of line ends before and between frames is skipped, in every version") {
  for (const Stance& stance : kEvery) {
    const Events events = decode("\n\r\n\n\nSEND\n\nx\0\n\n\r\n\nSEND\n\ny\0\n\n\n"sv, stance);
    REQUIRE(events.size() == 2);
    CHECK(std::get<Frame>(events[1]).body == "y");
  }
}

TEST_CASE("A5: commands are upper case, header names keep their case") {
  for (const Stance& stance : kEvery) {
    CHECK(error_kind("send\n\n\0"sv, stance) == ProtocolErrorKind::kBadCommand);
    CHECK(error_kind("Send\n\n\0"sv, stance) == ProtocolErrorKind::kBadCommand);
    const Frame frame = decode_frame("SEND\nReceipt:1\n\n\0"sv, stance);
    CHECK_FALSE(frame.headers.find("receipt"));
    CHECK(frame.headers.find("Receipt") == "1");
  }
  CHECK(decode_error("connect\n\n\0"sv).detail ==
        "Could not interpret command \"connect\". Commands are written in upper case");
}

TEST_CASE("A6: UTF-8 passes unchanged, and so do octets that are none") {
  for (const Stance& stance : kEvery) {
    CHECK(decode_headers("SEND\nn\xC3\xA4me:\xF0\x9F\x90\x98\n\n\0"sv, stance) ==
          "n\xC3\xA4me=\xF0\x9F\x90\x98;");
    CHECK(decode_headers("SEND\nname:\xFF\xC3\n\n\0"sv, stance) == "name=\xFF\xC3;");
  }
}

TEST_CASE("A7: a header line is split at its first colon") {
  for (const Stance& stance : kEvery) {
    CHECK(decode_headers("SEND\nreply-to:/queue/a:b:c\n\n\0"sv, stance) ==
          "reply-to=/queue/a:b:c;");
  }
}

TEST_CASE("A8: 1.1 and later keep the blanks of names and values") {
  for (const Stance& stance : {k11, k12}) {
    CHECK(decode_headers("SEND\n a : b \t\n\n\0"sv, stance) == " a = b \t;");
  }
  CHECK(decode_headers("CONNECT\naccept-version:1.1\npasscode: x \n\n\0"sv, k10) ==
        "accept-version=1.1;passcode= x ;");
}

TEST_CASE("A9: 1.0 trims blanks round names and values") {
  CHECK(decode_headers("SEND\n a\t: b c \r\n\n\0"sv, k10) == "a=b c;");
  CHECK(decode_headers("CONNECT\nlogin: user \npasscode:\tx\n\n\0"sv, k10) ==
        "login=user;passcode=x;");
}

TEST_CASE("A10: an empty value is legal, an empty name or a line without a colon is not") {
  for (const Stance& stance : kEvery) {
    CHECK(decode_headers("SEND\na:\nb:x\n\n\0"sv, stance) == "a=;b=x;");
    CHECK(error_kind("SEND\n:x\n\n\0"sv, stance) == ProtocolErrorKind::kBadHeader);
    CHECK(error_kind("SEND\nab\n\n\0"sv, stance) == ProtocolErrorKind::kBadHeader);
    CHECK(error_kind("CONNECT\n:x\n\n\0"sv, stance) == ProtocolErrorKind::kBadHeader);
  }
  CHECK(error_kind("SEND\n :x\n\n\0"sv, k10) == ProtocolErrorKind::kBadHeader);
  CHECK(error_kind("CONNECT\n :x\n\n\0"sv, k10) == ProtocolErrorKind::kBadHeader);
  CHECK(error_kind("SEND\n:\\c\n\n\0"sv, k12) == ProtocolErrorKind::kBadHeader);
}

TEST_CASE("A10: the text about a bad header line says where it is and not what it says") {
  const ProtocolError error = decode_error("CONNECT\nlogin:a\npasscode:b\nsecret\n\n\0"sv, k10);
  CHECK(error.message == "Bad header");
  CHECK(error.detail == "Header line 3 of the CONNECT frame has no colon");
}

TEST_CASE("A11: the first of a repeated header wins, the others are kept") {
  for (const Stance& stance : kEvery) {
    const Frame frame = decode_frame("SEND\na:1\nb:2\na:3\n\n\0"sv, stance);
    CHECK(frame.headers.find("a") == "1");
    CHECK(to_text(frame.headers) == "a=1;b=2;a=3;");
  }
}

TEST_CASE("A12: unknown headers are kept on every frame") {
  for (const Stance& stance : kEvery) {
    CHECK(decode_headers("SUBSCRIBE\nid:1\nx-colour:red\n\n\0"sv, stance) == "id=1;x-colour=red;");
  }
}

TEST_CASE("A13: an unknown command is an error that names it") {
  for (const Stance& stance : kEvery) {
    const ProtocolError error = decode_error("PUBLISH\na:b\n\n\0"sv, stance);
    CHECK(error.kind == ProtocolErrorKind::kBadCommand);
    CHECK(error.message == "Bad command");
    CHECK(error.detail == "Could not interpret command \"PUBLISH\"");
    CHECK_FALSE(error.receipt);
  }
}

TEST_CASE("A13: a command with blanks round it is another word") {
  CHECK(error_kind(" SEND\n\n\0"sv) == ProtocolErrorKind::kBadCommand);
  CHECK(error_kind("SEND \n\n\0"sv) == ProtocolErrorKind::kBadCommand);
}

TEST_CASE("A13: what is named of an unknown command is printable and ends at a colon") {
  CHECK(decode_error("\x01\xFF\"x\n"sv).detail == "Could not interpret command \"..\"x\"");
  CHECK(decode_error("passcode:secret\n"sv).detail == "Could not interpret command \"passcode\"");
}

TEST_CASE("A13: a NUL in a command line ends it, so that nobody waits for the rest") {
  CHECK(decode_error("HELLO\0"sv).detail == "Could not interpret command \"HELLO\"");
}

TEST_CASE("A14: stray NULs between frames are skipped") {
  for (const Stance& stance : kEvery) {
    const Events events = decode("\0SEND\n\nx\0\0\n\0\0SEND\n\ny\0\0"sv, stance);
    REQUIRE(events.size() == 2);
    CHECK(std::get<Frame>(events[1]).body == "y");
  }
}

TEST_CASE("a NUL among the headers is an error: the blank line is missing") {
  for (const Stance& stance : kEvery) {
    CHECK(error_kind("DISCONNECT\n\0"sv, stance) == ProtocolErrorKind::kBadHeader);
    CHECK(error_kind("SEND\na:b\0c\n\n\0"sv, stance) == ProtocolErrorKind::kBadHeader);
  }
}

TEST_CASE("a server takes no server's frames, a client no client's") {
  constexpr Stance kClient{.version = Version::k12, .side = Side::kClient};
  for (const std::string_view command : {"CONNECTED", "MESSAGE", "RECEIPT", "ERROR"}) {
    const std::string bytes = std::string(command) + "\na:b\n\n" + '\0';
    CHECK(error_kind(bytes, k12) == ProtocolErrorKind::kBadCommand);
    CHECK(to_text(decode_frame(bytes, kClient).command) == command);
  }
  CHECK(decode_error("MESSAGE\n\n\0"sv).detail == "A client does not send MESSAGE");
  CHECK(decode_error("SEND\n\n\0"sv, kClient).detail == "A server does not send SEND");
}

TEST_CASE("an error gives the receipt that was read before it, and stays") {
  const ProtocolError error = decode_error("SEND\nreceipt:r\\c1\nbad\n\n\0"sv);
  CHECK(error.receipt == "r:1");
  CHECK_FALSE(decode_error("SEND\nbad\nreceipt:1\n\n\0"sv).receipt);
  // D14: that of a login is never answered.
  CHECK_FALSE(decode_error("CONNECT\nreceipt:1\nbad\n\n\0"sv).receipt);
  CHECK_FALSE(decode_error("STOMP\nreceipt:1\nbad\n\n\0"sv).receipt);

  FrameDecoder decoder{DecodeLimits{}};
  decoder.feed("NONSENSE\nSEND\n\n\0"sv);
  const auto first = decoder.next();
  REQUIRE(first);
  decoder.feed("SEND\n\nx\0"sv);
  CHECK(decoder.next() == first);
  CHECK(decoder.held_bytes() == 0);
}

}  // namespace
}  // namespace stompbox::protocol

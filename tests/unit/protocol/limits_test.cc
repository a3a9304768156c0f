// Facts L1 to L3 and D16: what a peer may send, and how soon we say so.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <variant>

#include "tests/unit/protocol/decoding.h"

namespace stompbox::protocol {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

std::string header_lines(std::size_t count) {
  std::string lines;
  for (std::size_t i = 0; i < count; ++i)
    lines += "h" + std::to_string(i) + ":v\n";
  return lines;
}

TEST_CASE("L1: a frame has a thousand headers and not one more") {
  CHECK(decode_frame("SEND\n" + header_lines(1000) + "\n" + '\0').headers.size() == 1000);
  const ProtocolError error = decode_error("SEND\n" + header_lines(1001));
  CHECK(error.kind == ProtocolErrorKind::kTooLarge);
  CHECK(error.message == "Frame too large");
  CHECK(error.detail == "A frame may have 1000 headers");
}

TEST_CASE("L1: a header line has 10 KiB and not a byte more, and nobody waits for its end") {
  const std::string line = "a:" + std::string(10 * 1024 - 2, 'x');
  CHECK(decode_frame("SEND\n" + line + "\n\n" + '\0').headers.size() == 1);
  const ProtocolError error = decode_error("SEND\n" + line + "x");
  CHECK(error.kind == ProtocolErrorKind::kTooLarge);
  CHECK(error.detail == "A header line may have 10240 bytes");
  CHECK(decode_error("SEND\n" + line + "x\n\n" + '\0') == error);
}

TEST_CASE("L1: each frame has the limits for itself") {
  Stance stance;
  stance.limits.header_line_bytes_max = 6;
  stance.limits.headers_bytes_max = 8;
  stance.limits.body_bytes_max = 4;
  std::string bytes;
  for (int i = 0; i < 10; ++i)
    bytes += "SEND\na:1234\n\nbody"s + '\0';
  CHECK(decode(bytes, stance).size() == 10);
  CHECK(std::holds_alternative<Frame>(decode(bytes, stance).back()));
}

TEST_CASE("L1: all headers of a frame together have their limit") {
  Stance stance;
  stance.limits.headers_bytes_max = 12;
  CHECK(decode_frame("SEND\na:123\nb:123\n\n\0"sv, stance).headers.size() == 2);
  const ProtocolError error = decode_error("SEND\na:123\nb:12345", stance);
  CHECK(error.kind == ProtocolErrorKind::kTooLarge);
  CHECK(error.detail == "The headers of a frame may have 12 bytes");
}

TEST_CASE("L1: a body without a length has the same limit") {
  Stance stance;
  stance.limits.body_bytes_max = 5;
  for (const Version version : {Version::k10, Version::k11, Version::k12}) {
    stance.version = version;
    CHECK(decode_frame("SEND\n\n12345\0"sv, stance).body == "12345");
    CHECK(error_kind("SEND\nreceipt:1\n\n123456", stance) == ProtocolErrorKind::kTooLarge);
  }
  stance.version = Version::k10;
  CHECK(error_kind("SUBSCRIBE\n\n123456", stance) == ProtocolErrorKind::kTooLarge);
}

TEST_CASE("L2: before login a whole frame is bound, wherever its bytes are") {
  Stance stance{.version = Version::k10, .let_in = false};
  stance.limits.frame_bytes_max_before_login = 30;
  CHECK(decode_frame("CONNECT\nlogin:123456789012\n\n\0"sv, stance).headers.size() == 1);
  CHECK(decode_frame("SEND\n\n12345678901234567890123\0"sv, stance).body.size() == 23);
  for (const std::string_view bytes :
       {"CONNECT\nlogin:12345678901234567", "CONNECT\na:1\nb:2\nc:3\nd:4\ne:5\nf:6",
        "CONNECT\n\n123456789012345678901", "SEND\n\n123456789012345678901234",
        "SEND\ncontent-length:9\n\n", "SEND\ncontent-length:2\n\nabcdefghi"}) {
    CAPTURE(bytes);
    const ProtocolError error = decode_error(bytes, stance);
    CHECK(error.kind == ProtocolErrorKind::kTooLarge);
    CHECK(error.detail == "A frame before login may have 30 bytes");
  }
}

TEST_CASE("L2: login lifts that bound, for bytes fed before too") {
  DecodeLimits limits;
  limits.frame_bytes_max_before_login = 30;
  FrameDecoder decoder(limits);
  const std::string body(100, 'x');
  decoder.feed("CONNECT\n\n\0"sv);
  REQUIRE(decoder.next());
  const std::string send = "SEND\n\n" + body + '\0';
  decoder.feed(send);
  decoder.let_in();
  const auto event = decoder.next();
  REQUIRE(event);
  REQUIRE(std::holds_alternative<Frame>(*event));
  CHECK(std::get<Frame>(*event).body == body);
}

TEST_CASE("L3: a command line beyond 32 bytes is refused before its end comes") {
  CHECK(decode("ABCDEFGHIJKLMNOPQRSTUVWXYZ123456").empty());
  const ProtocolError error = decode_error("ABCDEFGHIJKLMNOPQRSTUVWXYZ1234567");
  CHECK(error.kind == ProtocolErrorKind::kBadCommand);
  CHECK(error.detail == "Could not interpret command \"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456\"");
  CHECK(decode_error("ABCDEFGHIJKLMNOPQRSTUVWXYZ1234567\n\n\0"sv) == error);
}

TEST_CASE("L3: at most forty characters of a command are named") {
  Stance stance;
  stance.limits.command_bytes_max = 1000;
  CHECK(decode_error(std::string(1001, 'x'), stance).detail ==
        "Could not interpret command \"" + std::string(40, 'x') + "\"");
}

TEST_CASE("L3: an HTTP request is told that this is a STOMP port") {
  for (const std::string_view request :
       {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /a/path/beyond/the/thirty-two/bytes HTTP/1.1",
        "CONNECT example.com:443 HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
    CAPTURE(request);
    const ProtocolError error = decode_error(request);
    CHECK(error.kind == ProtocolErrorKind::kBadCommand);
    CHECK(error.detail.find("This is a STOMP port") != std::string::npos);
  }
}

TEST_CASE("D16: a TLS hello is known by the first byte of the connection") {
  CHECK(error_kind("\x16\x03\x01\x02\x00\x01"sv) == ProtocolErrorKind::kTls);
  CHECK(error_kind("\n\x16\x03\x01\n"sv) == ProtocolErrorKind::kBadCommand);
  const Events events = decode("SEND\n\nx\0\x16\x03\x01\n"sv);
  REQUIRE(events.size() == 2);
  CHECK(std::get<ProtocolError>(events[1]).kind == ProtocolErrorKind::kBadCommand);
}

TEST_CASE("limits without a bound do not overflow") {
  constexpr std::size_t kMax = static_cast<std::size_t>(-1);
  Stance stance{.version = Version::k12, .let_in = false};
  stance.limits = {.command_bytes_max = kMax,
                   .header_count_max = kMax,
                   .header_line_bytes_max = kMax,
                   .headers_bytes_max = kMax,
                   .body_bytes_max = kMax,
                   .frame_bytes_max_before_login = kMax};
  CHECK(decode_frame("SEND\na:b\n\nbody\0"sv, stance).body == "body");
  CHECK(decode_frame("SEND\ncontent-length:4\n\nbody\0"sv, stance).body == "body");
  CHECK(error_kind("SEND\ncontent-length:18446744073709551615\n\n", stance) ==
        ProtocolErrorKind::kTooLarge);
}

}  // namespace
}  // namespace stompbox::protocol

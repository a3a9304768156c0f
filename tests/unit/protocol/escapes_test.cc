// Facts B1 to B10: header escapes, both ways.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "protocol/encoder.h"
#include "tests/unit/protocol/decoding.h"

namespace stompbox::protocol {
namespace {

using namespace std::string_view_literals;

constexpr Stance kLenient11{.version = Version::k11, .unknown_escapes = UnknownEscapes::kKeep};

std::string header_text(Version version, std::string_view name, std::string_view value) {
  std::string text;
  append_header(text, version, name, value);
  return text;
}

TEST_CASE("B1: 1.1 decodes \\n, \\c and \\\\ in names and values of every frame") {
  for (const std::string_view command : {"SEND", "SUBSCRIBE", "ACK", "BEGIN", "DISCONNECT"}) {
    const std::string bytes = std::string(command) + "\na\\c\\nb:\\\\x\\ny\\cz\nplain:1\n\n" + '\0';
    CHECK(decode_headers(bytes, k11) == "a:\nb=\\x\ny:z;plain=1;");
  }
}

TEST_CASE("B2: 1.2 decodes \\r too") {
  CHECK(decode_headers("SEND\na\\r\\c\\nb:\\\\x\\r\\ny\\c\n\n\0"sv, k12) == "a\r:\nb=\\x\r\ny:;");
}

TEST_CASE("B3: in 1.1 \\r and every other escape are errors") {
  for (const std::string_view line : {"a:\\r", "a:\\t", "a:\\", "a\\r:b", "a\\:b", "a:\\N"}) {
    CAPTURE(line);
    const ProtocolError error =
        decode_error("SEND\nreceipt:1\n" + std::string(line) + "\n\n" + '\0', k11);
    CHECK(error.kind == ProtocolErrorKind::kBadHeader);
    CHECK(error.receipt == "1");
    CHECK(error.detail ==
          "Header line 2 of the SEND frame has an escape that STOMP 1.1 does not define");
  }
}

TEST_CASE("B4: in 1.2 every other escape is an error") {
  for (const std::string_view line : {"a:\\t", "a:\\", "a:x\\", "a\\:b", "a:\\R", "a:\\0"}) {
    CAPTURE(line);
    const std::string bytes = "SEND\n" + std::string(line) + "\n\n" + '\0';
    CHECK(error_kind(bytes, k12) == ProtocolErrorKind::kBadHeader);
  }
}

TEST_CASE("B5: headers are encoded by the receiver's version") {
  CHECK(header_text(Version::k12, "a:\n", "\\x\r\ny:") == "a\\c\\n:\\\\x\\r\\ny\\c\n");
  CHECK(header_text(Version::k11, "a:\n", "\\x\r\ny:") == "a\\c\\n:\\\\x\r\\ny\\c\n");
}

TEST_CASE("B6: CONNECT and STOMP are read without escapes in every version") {
  for (const Stance& stance : kEvery) {
    for (const std::string_view command : {"CONNECT", "STOMP"}) {
      const std::string bytes =
          std::string(command) + "\naccept-version:1.2\npasscode:a\\nb\\t:c\\\n\n" + '\0';
      CHECK(decode_frame(bytes, stance).headers.find("passcode") == "a\\nb\\t:c\\");
    }
  }
}

TEST_CASE("B6: CONNECT, STOMP and CONNECTED are written without escapes") {
  for (const Command command : {Command::kConnect, Command::kStomp, Command::kConnected}) {
    Frame frame;
    frame.command = command;
    frame.headers.add("server", "a\\b:c\nd");
    std::string bytes;
    append_frame(bytes, Version::k12, frame);
    CHECK(bytes == std::string(to_text(command)) + "\nserver:a\\b:c d\n\n" + '\0');
  }
}

TEST_CASE("B6: CONNECTED is read without escapes") {
  constexpr Stance kClient{.version = Version::k12, .side = Side::kClient};
  CHECK(decode_headers("CONNECTED\nversion:1.2\nsession:a\\b\n\n\0"sv, kClient) ==
        "version=1.2;session=a\\b;");
}

TEST_CASE("B7: 1.0 has no escapes either way") {
  CHECK(decode_headers("SEND\na:\\n\\t\\\n\n\0"sv, k10) == "a=\\n\\t\\;");
  CHECK(header_text(Version::k10, "a", "\\n:c") == "a:\\n:c\n");
}

TEST_CASE("B7: what 1.0 cannot express becomes a blank, never a broken frame") {
  CHECK(header_text(Version::k10, "a\nb", "c\nd\r\ne") == "a b:c d  e\n");
  CHECK(header_text(Version::k10, "content-length:3", "x") == "content-length 3:x\n");
  for (const Version version : {Version::k10, Version::k11, Version::k12}) {
    CHECK(header_text(version, "a", "b\0c"sv) == "a:b c\n");
  }
}

TEST_CASE("B8: a header of a 1.2 producer reaches each consumer in his own form") {
  const Frame sent = decode_frame("SEND\nk\\ce\\\\y:one\\ntwo\\r\\c\n\n\0"sv, k12);
  const auto [name, value] = sent.headers.at(0);
  std::string block;
  append_header(block, Version::k12, name, value);
  const auto block_for = [&block](Version version) {
    std::string out;
    append_block_for(out, version, block, false);
    return out;
  };
  CHECK(block_for(Version::k12) == "k\\ce\\\\y:one\\ntwo\\r\\c\n");
  CHECK(block_for(Version::k11) == "k\\ce\\\\y:one\\ntwo\r\\c\n");
  CHECK(block_for(Version::k10) == "k e\\y:one two :\n");
}

TEST_CASE("B9: a receipt comes back as it was sent, decoded and encoded again") {
  for (const Stance& stance : kEvery) {
    const std::string_view raw = stance.version == Version::k10 ? "r\\1:x" : "r\\\\1\\cx";
    const Frame sent = decode_frame("SEND\nreceipt:" + std::string(raw) + "\n\n" + '\0', stance);
    CHECK(sent.headers.find("receipt") == "r\\1:x");
    CHECK(header_text(stance.version, "receipt-id", *sent.headers.find("receipt")) ==
          "receipt-id:" + std::string(raw) + "\n");
  }
}

TEST_CASE("B10: undefined escapes of 1.1 may be kept as they stand, if asked for") {
  CHECK(decode_headers("SEND\na:\\t\\r\\n\\\nb\\x:\\\\\n\n\0"sv, kLenient11) ==
        "a=\\t\\r\n\\;b\\x=\\;");
  constexpr Stance kAsked12{.version = Version::k12, .unknown_escapes = UnknownEscapes::kKeep};
  CHECK(error_kind("SEND\na:\\t\n\n\0"sv, kAsked12) == ProtocolErrorKind::kBadHeader);
}

}  // namespace
}  // namespace stompbox::protocol

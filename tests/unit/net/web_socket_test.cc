#include "broker/net/web_socket.h"

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "broker/net/http_head.h"
#include "broker/net/web_socket_handshake.h"
#include "tests/unit/net/web_socket_client.h"

namespace stompbox::net {
namespace {

using session::Outbox;
using testing::masked;
using testing::messages_of;
using testing::upgrade_request;
using End = WebSocket::End;

const std::vector<std::string> kSameHost;

std::string status_of(const std::string& head,
                      const std::vector<std::string>& origins = kSameHost) {
  return answer_handshake(head, origins).response.substr(9, 3);
}

std::string without(std::string text, const std::string& line) {
  const std::size_t at = text.find(line);
  REQUIRE(at != std::string::npos);
  return text.erase(at, text.find('\n', at) + 1 - at);
}

std::string instead(std::string text, const std::string& what, const std::string& other) {
  return text.replace(text.find(what), what.size(), other);
}

TEST_CASE("a handshake is answered with the key of the RFC's own example") {
  const auto answer = answer_handshake(upgrade_request(), kSameHost);
  CHECK(answer.refusal.empty());
  CHECK(answer.response.starts_with("HTTP/1.1 101 "));
  CHECK(answer.response.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") !=
        std::string::npos);
  CHECK(answer.response.find("Sec-WebSocket-Protocol") == std::string::npos);
  CHECK(answer.response.ends_with("\r\n\r\n"));
}

TEST_CASE("the best sub-protocol that was offered is chosen, and no other") {
  const auto chosen = [](const std::string& fields) {
    const std::string response = answer_handshake(upgrade_request(fields), kSameHost).response;
    const std::string name = "Sec-WebSocket-Protocol: ";
    const std::size_t at = response.find(name);
    if (at == std::string::npos) return std::string();
    return response.substr(at + name.size(), response.find('\r', at) - at - name.size());
  };
  CHECK(chosen("Sec-WebSocket-Protocol: v10.stomp, v12.stomp,v11.stomp\r\n") == "v12.stomp");
  CHECK(chosen("Sec-WebSocket-Protocol: v10.stomp\r\nSec-WebSocket-Protocol: v11.stomp\r\n") ==
        "v11.stomp");
  CHECK(chosen("Sec-WebSocket-Protocol: v10.stomp, mqtt\r\n") == "v10.stomp");
  CHECK(chosen("Sec-WebSocket-Protocol: mqtt\r\n").empty());
}

TEST_CASE("what is no handshake is refused with the status that says why") {
  const std::string good = upgrade_request();
  CHECK(status_of(good) == "101");
  CHECK(status_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n") == "426");
  CHECK(status_of("POST / HTTP/1.1\r\nHost: x\r\n\r\n") == "405");
  CHECK(status_of(without(good, "Host:")) == "400");
  CHECK(status_of(without(good, "Connection:")) == "400");
  CHECK(status_of(without(good, "Sec-WebSocket-Key:")) == "400");
  CHECK(status_of(instead(good, "ZQ==", "Z===")) == "400");
  CHECK(status_of(instead(good, "dGhl", "d Gh")) == "400");
  CHECK(status_of(upgrade_request("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")) == "400");
  CHECK(status_of(instead(good, "Version: 13", "Version: 8")) == "426");
  CHECK(status_of(upgrade_request("Content-Length: 5\r\n")) == "400");
  for (const char* head :
       {"GET / HTTP/1.0\r\n\r\n", "GET HTTP/1.1\r\n\r\n", "nonsense\n\n", "",
        "GET / HTTP/1.1\r\n folded: x\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nblank : x\r\n\r\n", "GET / HTTP/1.1\r\nHost: \x01\r\n\r\n"}) {
    CAPTURE(head);
    CHECK(status_of(head) == "400");
  }
}

TEST_CASE("pages of the same host may connect, others when they are named") {
  const auto status = [](const std::string& origin, const std::vector<std::string>& origins) {
    return status_of(upgrade_request("Origin: " + origin + "\r\n"), origins);
  };
  CHECK(status("https://other.example", {}) == "403");
  CHECK(status("https://broker.example", {"https://broker.example"}) == "101");
  CHECK(status("null", {}) == "403");
  CHECK(status("https://other.example", {"https://other.example"}) == "101");
  CHECK(status("https://broker.example", {"https://other.example"}) == "403");
  CHECK(status("null", {"*"}) == "101");
}

TEST_CASE("the same host is one that no foreign name server can lead to us") {
  const auto status = [](const std::string& host, const std::string& origin) {
    std::string request = upgrade_request("Origin: " + origin + "\r\n");
    const std::size_t at = request.find("Host: ") + 6;
    return status_of(request.replace(at, request.find('\r', at) - at, host));
  };
  CHECK(status("127.0.0.1:61614", "http://127.0.0.1:8080") == "101");
  CHECK(status("[::1]:61614", "http://[::1]") == "101");
  CHECK(status("localhost:61614", "https://LOCALHOST") == "101");
  CHECK(status("192.0.2.7", "http://192.0.2.7") == "101");
  CHECK(status("127.0.0.1:61614", "http://localhost") == "403");
  CHECK(status("rebound.example:61614", "http://rebound.example:61614") == "403");
  CHECK(status("127.0.0.1.example", "http://127.0.0.1.example") == "403");
  CHECK(status("[evil.example]", "http://[evil.example]") == "403");
  CHECK(status("localhost.example", "http://localhost.example") == "403");
}

// A socket that is open, with its handshake read in pieces of that size.
WebSocket open_socket(std::size_t piece = 1000) {
  WebSocket socket(kSameHost);
  std::string replies;
  std::string head = upgrade_request();
  for (std::size_t at = 0; at < head.size(); at += piece) {
    std::string part = head.substr(at, piece);
    CHECK(socket.take({part.data(), part.size()}, replies).end == End::kNone);
  }
  CHECK(replies.starts_with("HTTP/1.1 101"));
  CHECK(socket.is_open());
  return socket;
}

std::string take(WebSocket& socket, std::string bytes, std::string& replies) {
  const auto taken = socket.take({bytes.data(), bytes.size()}, replies);
  return {taken.bytes.data(), taken.bytes.size()};
}

TEST_CASE("a handshake may come in pieces, with the first frames right behind it") {
  for (const std::size_t piece : {1UL, 3UL, 50UL})
    static_cast<void>(open_socket(piece));
  WebSocket socket(kSameHost);
  std::string replies;
  CHECK(take(socket, upgrade_request() + masked(Opcode::kText, "CONNECT\n"), replies) ==
        "CONNECT\n");
}

TEST_CASE("a head without end is refused at its bound, and one that is no HTTP at its first line") {
  WebSocket endless(kSameHost);
  std::string replies;
  std::string bytes = "GET / HTTP/1.1\r\nx: " + std::string(kHttpHeadBytesMax, 'x');
  CHECK(endless.take({bytes.data(), bytes.size()}, replies).end == End::kFault);
  CHECK(replies.starts_with("HTTP/1.1 431"));
  WebSocket garbage(kSameHost);
  replies.clear();
  std::string line = "SSH-2.0-x\r\n";
  CHECK(garbage.take({line.data(), line.size()}, replies).end == End::kFault);
  CHECK(replies.starts_with("HTTP/1.1 400"));
  CHECK_FALSE(garbage.is_open());
}

// Seals all of an outbox in batches of that size.
std::string seal(WebSocket& socket, Outbox& outbox, std::size_t batch) {
  std::string out;
  while (outbox.waiting_bytes() > 0) {
    Outbox::Piece pieces[64];
    const std::size_t count = outbox.gather(pieces, 64);
    outbox.consume(socket.seal({pieces, count}, batch, out));
  }
  return out;
}

std::string stomp_frame(const std::string& body, const std::string& headers = "") {
  return "MESSAGE\n" + headers + "content-length:" + std::to_string(body.size()) + "\n\n" + body +
         '\0';
}

TEST_CASE("each STOMP frame and each beat is a message of its own, whatever the batches") {
  const std::vector<std::string> frames = {
      "CONNECTED\nversion:1.2\n\n" + std::string(1, '\0'),
      "\n",
      stomp_frame(std::string("a\0b\n\nc", 6)),
      stomp_frame(""),
      stomp_frame(std::string(200'000, 'x'), "x:" + std::string(300, 'y') + "\n"),
      "RECEIPT\nreceipt-id:1\n\n" + std::string(1, '\0'),
  };
  for (const std::size_t batch : {1UL, 7UL, 4096UL, 65'536UL, 10'000'000UL}) {
    CAPTURE(batch);
    WebSocket socket = open_socket();
    Outbox outbox;
    for (const std::string& frame : frames) {
      for (std::size_t at = 0; at < frame.size(); at += 50'000)
        outbox.append(frame.substr(at, 50'000));
    }
    const auto messages = messages_of(seal(socket, outbox, batch));
    REQUIRE(messages);
    REQUIRE(messages->size() == frames.size());
    for (std::size_t i = 0; i < frames.size(); ++i) {
      CHECK((*messages)[i].payload == frames[i]);
      CHECK((*messages)[i].opcode == Opcode::kText);
    }
  }
}

TEST_CASE("the answer is of the client's kind, and what is not UTF-8 is binary all the same") {
  WebSocket socket = open_socket();
  std::string replies;
  const auto kind_of = [&socket](const std::string& frame) {
    Outbox outbox;
    outbox.append(frame);
    return messages_of(seal(socket, outbox, 1000))->front().opcode;
  };
  static_cast<void>(take(socket, masked(Opcode::kText, "x"), replies));
  CHECK(kind_of(stomp_frame("\xc3\xa4")) == Opcode::kText);
  CHECK(kind_of(stomp_frame("\xc3")) == Opcode::kBinary);
  CHECK(kind_of(stomp_frame(std::string(5000, 'x') + "\xff")) == Opcode::kBinary);
  CHECK(kind_of("\n") == Opcode::kText);
  static_cast<void>(take(socket, masked(Opcode::kBinary, "x"), replies));
  CHECK(kind_of(stomp_frame("plain")) == Opcode::kBinary);
}

TEST_CASE("a pong may come between two batches of a message") {
  WebSocket socket = open_socket();
  Outbox outbox;
  const std::string frame = stomp_frame(std::string(1000, 'x'));
  outbox.append(frame);
  std::string out;
  Outbox::Piece pieces[4];
  outbox.consume(socket.seal({pieces, outbox.gather(pieces, 4)}, 100, out));
  static_cast<void>(take(socket, masked(Opcode::kPing, "p"), out));
  out += seal(socket, outbox, 100);
  const auto messages = messages_of(out);
  REQUIRE(messages);
  REQUIRE(messages->size() == 2);
  CHECK(messages->front().opcode == Opcode::kPong);
  CHECK(messages->back().payload == frame);
}

TEST_CASE("the close frame says the peer's own code, or ours, once") {
  std::string out;
  WebSocket left = open_socket();
  static_cast<void>(take(left, masked(Opcode::kClose, std::string("\x03\xe9", 2)), out));
  left.say_goodbye(CloseCode::kPolicy, out);
  left.say_goodbye(CloseCode::kPolicy, out);
  CHECK(out == std::string("\x88\x02\x03\xe9", 4));
  out.clear();
  open_socket().say_goodbye(CloseCode::kGoingAway, out);
  CHECK(out == std::string("\x88\x02\x03\xe9", 4));
  out.clear();
  WebSocket broken = open_socket();
  static_cast<void>(take(broken, "\x01\x01x", out));
  CHECK(out.starts_with(std::string("\x88", 1)));
  CHECK(out.substr(2, 2) == "\x03\xea");
}

}  // namespace
}  // namespace stompbox::net

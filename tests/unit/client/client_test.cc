#include "broker/client/client.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>
#include <thread>

using namespace stompbox;
using namespace stompbox::client;
using namespace std::chrono_literals;

namespace {

// A broker of one connection: answers each frame that comes in (up to its NUL) by a script, and
// keeps what it got.
class ScriptedBroker {
 public:
  using Script = std::function<std::string(const std::string& frame)>;

  explicit ScriptedBroker(Script script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_, 1) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    options.broker = {"127.0.0.1", std::to_string(ntohs(address.sin_port))};
    options.patience = 20s;
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedBroker() { finish(); }

  // What came in, once the client is gone.
  const std::string& finish() {
    if (thread_.joinable()) thread_.join();
    if (listener_ >= 0) ::close(listener_);
    listener_ = -1;
    return got_;
  }

  ClientOptions options;

 private:
  void serve() {
    pollfd entry{listener_, POLLIN, 0};
    if (::poll(&entry, 1, 20'000) <= 0) return;
    const int peer = ::accept(listener_, nullptr, nullptr);
    std::array<char, 4096> buffer{};
    std::string unread;
    for (;;) {
      const ssize_t size = ::recv(peer, buffer.data(), buffer.size(), 0);
      if (size <= 0) break;
      got_.append(buffer.data(), static_cast<std::size_t>(size));
      unread.append(buffer.data(), static_cast<std::size_t>(size));
      for (auto end = unread.find('\0'); end != std::string::npos; end = unread.find('\0')) {
        const std::string answer = script_(unread.substr(0, end));
        unread.erase(0, end + 1);
        ::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
      }
    }
    ::close(peer);
  }

  const Script script_;
  int listener_ = -1;
  std::string got_;
  std::thread thread_;
};

std::string nul(const std::string& frame) {
  return frame + '\0';
}

std::string connected(const std::string& version) {
  return nul("CONNECTED\n" + (version.empty() ? "" : "version:" + version + "\n") + "\n");
}

// The receipt that a frame asks for; nothing without.
std::string receipt_for(const std::string& frame) {
  const auto at = frame.find("\nreceipt:");
  if (at == std::string::npos) return {};
  const auto begin = at + 9;
  return nul("RECEIPT\nreceipt-id:" + frame.substr(begin, frame.find('\n', begin) - begin) +
             "\n\n");
}

ScriptedBroker::Script polite(const std::string& version) {
  return [version](const std::string& frame) {
    return frame.starts_with("CONNECT") ? connected(version) : receipt_for(frame);
  };
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the client offers all versions, logs in and sends with a receipt") {
  ScriptedBroker broker(polite("1.2"));
  broker.options.login = "puppet";
  broker.options.passcode = "secret";
  {
    auto client = Client::connect(broker.options);
    REQUIRE(client);
    CHECK(client->version() == protocol::Version::k12);
    CHECK(client->send("/queue/a", {{"colour", "a:b"}}, "body", Confirm::kReceipt));
    CHECK(client->disconnect());
  }
  const std::string& got = broker.finish();
  for (const char* part : {"accept-version:1.0,1.1,1.2\n", "login:puppet\n", "passcode:secret\n",
                           "destination:/queue/a\n", "colour:a\\cb\n", "content-length:4\n",
                           "\n\nbody", "DISCONNECT\n"}) {
    CAPTURE(part);
    CHECK(has(got, part));
  }
}

TEST_CASE("a broker without a version in its answer speaks 1.0") {
  ScriptedBroker broker(polite(""));
  auto client = Client::connect(broker.options);
  REQUIRE(client);
  CHECK(client->version() == protocol::Version::k10);
}

TEST_CASE("messages that come before the awaited receipt are not lost") {
  ScriptedBroker broker([](const std::string& frame) {
    if (frame.starts_with("CONNECT")) return connected("1.2");
    if (frame.find("SUBSCRIBE") == std::string::npos) return receipt_for(frame);
    const std::string message =
        "MESSAGE\nsubscription:1\nmessage-id:1-1\nack:7\ndestination:/queue/a\n\nhello";
    return nul(message) + receipt_for(frame) + nul(message + " again");
  });
  {
    auto client = Client::connect(broker.options);
    REQUIRE(client);
    REQUIRE(client->subscribe({"1", "/queue/a", "client-individual", 10}));
    for (const char* body : {"hello", "hello again"}) {
      const auto message = client->receive(20s);
      REQUIRE(message);
      REQUIRE(*message);
      CHECK((*message)->body == body);
      CHECK(client->acknowledge(**message, Confirm::kReceipt));
    }
    CHECK_FALSE(*client->receive(1ms));
  }
  CHECK(has(broker.finish(), "ACK\nid:7\n"));
}

TEST_CASE("an acknowledgement in 1.1 names message and subscription") {
  ScriptedBroker broker(polite("1.1"));
  {
    auto client = Client::connect(broker.options);
    REQUIRE(client);
    protocol::Frame message;
    message.headers.add("message-id", "9");
    message.headers.add("subscription", "s");
    CHECK(client->acknowledge(message, Confirm::kReceipt));
  }
  CHECK(has(broker.finish(), "ACK\nmessage-id:9\nsubscription:s\n"));
}

TEST_CASE("an ERROR at the login is a refusal with the broker's words") {
  ScriptedBroker broker([](const std::string&) {
    return nul("ERROR\nmessage:wrong passcode\n\nThe passcode is not right.\n");
  });
  const auto client = Client::connect(broker.options);
  REQUIRE_FALSE(client);
  CHECK(client.error().code == storage::ErrorCode::kDenied);
  CHECK(client.error().text == "the broker says: wrong passcode (The passcode is not right.)");
}

TEST_CASE("an ERROR instead of a receipt is told") {
  ScriptedBroker broker([](const std::string& frame) {
    return frame.starts_with("CONNECT") ? connected("1.2")
                                        : nul("ERROR\nmessage:the disk is full\n\n");
  });
  auto client = Client::connect(broker.options);
  REQUIRE(client);
  const auto status = client->send("/queue/a", {}, "x", Confirm::kReceipt);
  REQUIRE_FALSE(status);
  CHECK(has(status.error().text, "the disk is full"));
}

TEST_CASE("something that is no STOMP broker is told apart") {
  ScriptedBroker broker(
      [](const std::string&) { return std::string("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  const auto client = Client::connect(broker.options);
  REQUIRE_FALSE(client);
  CHECK(has(client.error().text, "does not speak STOMP"));
}

TEST_CASE("a port where nobody listens is told with its address") {
  std::string port;
  {
    ScriptedBroker broker(polite("1.2"));
    port = broker.options.broker.port;
    CHECK(Client::connect(broker.options));
  }
  ClientOptions options;
  options.broker = {"127.0.0.1", port};
  const auto client = Client::connect(options);
  REQUIRE_FALSE(client);
  CHECK(client.error().text == "no broker listens on tcp://127.0.0.1:" + port);
}

TEST_CASE("an address of a broker reads with and without scheme and port") {
  CHECK(*parse_broker_url("tcp://mq.example.test:1234") == BrokerUrl{"mq.example.test", "1234"});
  CHECK(*parse_broker_url("mq.example.test") == BrokerUrl{"mq.example.test", "61613"});
  CHECK(*parse_broker_url("[::1]:99") == BrokerUrl{"::1", "99"});
  CHECK(to_text(BrokerUrl{"::1", "99"}) == "tcp://[::1]:99");
  for (const char* text : {"", "tcp://", "host:", "host:0", "host:65536", "host:1x", "[::1",
                           "[::1]9", "http://host/", ":61613"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_broker_url(text));
  }
}

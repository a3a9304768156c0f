#include "broker/doorman.h"

#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "broker/access/passwords.h"
#include "tests/support/test_folder.h"

// The doorman's bounds, certificates, foreign users, rights and their reload.
namespace stompbox {
namespace {

using session::LoginResult;
using std::chrono::milliseconds;

class Door {
 public:
  access::AccessOptions options;

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.file(name)) << text;
  }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }
  [[nodiscard]] storage::Status open() {
    doorman.emplace(io, options, milliseconds(1500));
    return doorman->load_files();
  }

  [[nodiscard]] static net::Visitor visitor(std::uint64_t connection,
                                            const std::string& host = "192.0.2.1") {
    net::Visitor made;
    made.connection = connection;
    made.host = host;
    return made;
  }
  [[nodiscard]] session::Admitted ask(const net::Visitor& who, const std::string& login,
                                      const std::string& passcode) {
    std::optional<session::Admitted> answer;
    doorman->check(who, {login, passcode, {}, {}},
                   [&answer](session::Admitted admitted) { answer = std::move(admitted); });
    REQUIRE(run_until([&answer] { return answer.has_value(); }));
    return std::move(*answer);
  }
  [[nodiscard]] bool run_until(const std::function<bool()>& reached) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!reached()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      io.restart();
      io.run_for(milliseconds(1));
    }
    return true;
  }

 private:
  support::TestFolder folder_;

 public:
  asio::io_context io{1};
  std::optional<Doorman> doorman;
};

bool may_read(const session::Admitted& admitted, const std::string& queue) {
  const protocol::Headers headers;
  return admitted.rights == nullptr ||
         admitted.rights->allows({session::Operation::kRead,
                                  {routing::DestinationKind::kQueue, queue, false},
                                  headers});
}

const char* const kOwnQueues =
    "[[rule]]\nallow = \"all\"\ndestination = \"/queue/%u.>\"\nusers = \"+\"\n";

TEST_CASE("an address with too many connections is turned away until one leaves") {
  Door door;
  door.options.connections_per_address_max = 1;
  REQUIRE(door.open().has_value());
  CHECK(door.doorman->arrive(Door::visitor(1)).empty());
  CHECK(door.doorman->arrive(Door::visitor(2)) == "Your address has too many connections at once.");
  CHECK(door.doorman->arrive(Door::visitor(3, "192.0.2.2")).empty());
  door.doorman->leave(Door::visitor(1));
  CHECK(door.doorman->arrive(Door::visitor(4)).empty());
}

TEST_CASE("an address that comes too fast is turned away") {
  Door door;
  door.options.connection_burst_max = 2;
  door.options.connection_rate_max = 1;
  REQUIRE(door.open().has_value());
  CHECK(door.doorman->arrive(Door::visitor(1)).empty());
  CHECK(door.doorman->arrive(Door::visitor(2)).empty());
  CHECK(door.doorman->arrive(Door::visitor(3)) ==
        "Your address has too many new connections in a short time.");
}

TEST_CASE("with IPv6 the network of one peer is one address") {
  Door door;
  door.options.connections_per_address_max = 1;
  REQUIRE(door.open().has_value());
  CHECK(door.doorman->arrive(Door::visitor(1, "2001:db8:1:2::1")).empty());
  CHECK_FALSE(door.doorman->arrive(Door::visitor(2, "2001:db8:1:2::2")).empty());
  CHECK(door.doorman->arrive(Door::visitor(3, "2001:db8:1:3::1")).empty());
}

TEST_CASE("this machine's own connections are bounded only where that is asked for") {
  for (const bool bounded : {false, true}) {
    Door door;
    door.options.connections_per_address_max = 1;
    door.options.loopback_is_bounded = bounded;
    REQUIRE(door.open().has_value());
    for (const char* host : {"127.0.0.1", "::1", "::ffff:127.0.0.1"}) {
      CAPTURE(host);
      static_cast<void>(door.doorman->arrive(Door::visitor(1, host)));
      CHECK(door.doorman->arrive(Door::visitor(2, host)).empty() == !bounded);
      door.doorman->leave(Door::visitor(1, host));
      door.doorman->leave(Door::visitor(2, host));
    }
  }
}

TEST_CASE("a user with too many connections is told so") {
  Door door;
  door.options.connections_per_user_max = 1;
  door.options.plain_users_file = door.file(".passwd");
  door.write(".passwd", "bob:secret\n");
  REQUIRE(door.open().has_value());
  REQUIRE(door.doorman->arrive(Door::visitor(1)).empty());
  REQUIRE(door.doorman->arrive(Door::visitor(2)).empty());
  CHECK(door.ask(Door::visitor(1), "bob", "secret").result == LoginResult::kWelcome);
  CHECK(door.ask(Door::visitor(2), "bob", "secret").result == LoginResult::kTooMany);
  door.doorman->leave(Door::visitor(1));
  CHECK(door.ask(Door::visitor(2), "bob", "secret").result == LoginResult::kWelcome);
}

TEST_CASE("users of StompServer's file come in with the passcode that stands there") {
  Door door;
  door.options.plain_users_file = door.file(".passwd");
  door.write(".passwd", "bob:secret\n");
  REQUIRE(door.open().has_value());
  CHECK(door.ask(Door::visitor(1), "bob", "secret").result == LoginResult::kWelcome);
  CHECK(door.ask(Door::visitor(1), "bob", "Secret").result == LoginResult::kWrong);
  CHECK(door.ask(Door::visitor(1), "eve", "secret").result == LoginResult::kWrong);
  CHECK(door.doorman->error_hold("192.0.2.1") == milliseconds(3000));
}

TEST_CASE("a foreign users file that is not there lets nobody in") {
  Door door;
  door.options.plain_users_file = door.file(".passwd");
  REQUIRE(door.open().has_value());
  CHECK(door.ask(Door::visitor(1), "bob", "secret").result == LoginResult::kWrong);
}

TEST_CASE("a users file without users is refused at the start with a remedy") {
  Door door;
  door.options.users_file = door.file("users");
  door.write("users", "# none yet\n");
  const auto status = door.open();
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().text.find("has no users, so that nobody could log in: add one with "
                                 "'stompbox passwd NAME --users ") != std::string::npos);
  door.options.certificate_login = access::CertificateLogin::kCommonName;
  CHECK(door.open().has_value());
}

TEST_CASE("mistakes of both files are told at the start") {
  Door door;
  door.options.users_file = door.file("users");
  door.options.rules_file = door.file("rules");
  door.write("users", "nonsense\n");
  door.write("rules", "[[rule]]\nx = 1\n");
  const auto status = door.open();
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().text.find("users:1: ") != std::string::npos);
  CHECK(status.error().text.find("rules:2: ") != std::string::npos);
}

TEST_CASE("who shows a certificate that names a user is that user, whatever login says") {
  Door door;
  door.options.certificate_login = access::CertificateLogin::kCommonName;
  door.options.certificate_users = {"*.nodes.example.com -> *"};
  door.options.rules_file = door.file("rules");
  door.write("rules", kOwnQueues);
  REQUIRE(door.open().has_value());
  net::Visitor node = Door::visitor(1);
  node.certificate = {"CN=n1.nodes.example.com,O=Example", "n1.nodes.example.com", {}};
  const auto in = door.ask(node, "admin", "guess");
  CHECK(in.result == LoginResult::kWelcome);
  CHECK(in.user == "n1");
  CHECK(may_read(in, "n1.inbox"));
  CHECK_FALSE(may_read(in, "admin.inbox"));
}

TEST_CASE("with login by certificate nobody comes in without one that names a user") {
  Door door;
  door.options.certificate_login = access::CertificateLogin::kCommonName;
  door.options.certificate_users = {"*.nodes.example.com -> *"};
  REQUIRE(door.open().has_value());
  CHECK(door.ask(Door::visitor(1), "", "").result == LoginResult::kWrong);
  net::Visitor other = Door::visitor(2);
  other.certificate = {"CN=else", "else", {}};
  CHECK(door.ask(other, "n1", "").result == LoginResult::kWrong);
}

TEST_CASE("rules know a certificate by its common name and by each alternative one") {
  Door door;
  door.options.rules_file = door.file("rules");
  door.write("rules",
             "[[rule]]\nallow = \"read\"\ndestination = \"/queue/%c.>\"\n"
             "certificates = \"alias.example.com\"\n");
  REQUIRE(door.open().has_value());
  net::Visitor node = Door::visitor(1);
  node.certificate = {"CN=n1", "n1", {"alias.example.com"}};
  CHECK(may_read(door.ask(node, "", ""), "n1.inbox"));
  node.certificate.alternative_names = {"else"};
  CHECK_FALSE(may_read(door.ask(node, "", ""), "n1.inbox"));
}

TEST_CASE("a certificate is no login where that is off") {
  Door door;
  door.options.plain_users_file = door.file(".passwd");
  door.write(".passwd", "bob:secret\n");
  REQUIRE(door.open().has_value());
  net::Visitor node = Door::visitor(1);
  node.certificate = {"CN=bob", "bob", {}};
  CHECK(door.ask(node, "bob", "").result == LoginResult::kWrong);
}

TEST_CASE("a user without a passcode cannot come in with any") {
  Door door;
  door.options.users_file = door.file("users");
  door.write("users", "node1:-:servers\n");
  REQUIRE(door.open().has_value());
  CHECK(door.ask(Door::visitor(1), "node1", "").result == LoginResult::kWrong);
  CHECK(door.ask(Door::visitor(1), "node1", "-").result == LoginResult::kWrong);
}

TEST_CASE("without users nobody's name is believed by the rules") {
  Door door;
  door.options.rules_file = door.file("rules");
  door.write("rules", kOwnQueues);
  REQUIRE(door.open().has_value());
  const auto in = door.ask(Door::visitor(1), "bob", "");
  CHECK(in.result == LoginResult::kWelcome);
  CHECK(in.user == "bob");
  CHECK_FALSE(may_read(in, "bob.inbox"));
}

TEST_CASE("rules that are read again hold for who is in, broken ones change nothing") {
  Door door;
  door.options.plain_users_file = door.file(".passwd");
  door.options.rules_file = door.file("rules");
  door.write(".passwd", "bob:secret\n");
  door.write("rules", kOwnQueues);
  REQUIRE(door.open().has_value());
  const auto bob = door.ask(Door::visitor(1), "bob", "secret");
  REQUIRE(may_read(bob, "bob.inbox"));
  REQUIRE_FALSE(may_read(bob, "eve.inbox"));

  door.write("rules", "[[rule]]\nallow = \"reed\"\n");
  door.write(".passwd", "bob:secret\neve:new\n");
  door.doorman->reload_files();
  // The other file counts nevertheless: that it was read shows that the reload is done.
  REQUIRE(door.run_until([&door] {
    return door.ask(Door::visitor(2), "eve", "new").result == LoginResult::kWelcome;
  }));
  CHECK(may_read(bob, "bob.inbox"));
  CHECK_FALSE(may_read(bob, "eve.inbox"));

  door.write("rules",
             "[[rule]]\nallow = \"all\"\ndestination = \"/queue/eve.>\"\nusers = \"bob\"\n");
  door.doorman->reload_files();
  REQUIRE(door.run_until([&bob] { return may_read(bob, "eve.inbox"); }));
  CHECK_FALSE(may_read(bob, "bob.inbox"));
}

TEST_CASE("a user who was taken out of the file stays in without rights") {
  Door door;
  door.options.plain_users_file = door.file(".passwd");
  door.write(".passwd", "bob:secret\neve:new\n");
  REQUIRE(door.open().has_value());
  const auto bob = door.ask(Door::visitor(1), "bob", "secret");
  REQUIRE(may_read(bob, "a"));
  door.write(".passwd", "eve:new\n");
  door.doorman->reload_files();
  CHECK(door.run_until([&bob] { return !may_read(bob, "a"); }));
  CHECK(door.ask(Door::visitor(2), "bob", "secret").result == LoginResult::kWrong);
}

TEST_CASE(
    "an address that keeps being denied is held longer, and a right passcode changes nothing") {
  Door door;
  door.options.plain_users_file = door.file(".passwd");
  door.write(".passwd", "bob:secret\n");
  REQUIRE(door.open().has_value());
  const net::Visitor bob = Door::visitor(1);
  door.doorman->denied(bob, "bob", {"read", "/queue/a"});
  CHECK(door.doorman->error_hold(bob.host) == milliseconds(1500));
  door.doorman->denied(bob, "bob", {"read", "/queue/a"});
  CHECK(door.ask(bob, "bob", "secret").result == LoginResult::kWelcome);
  CHECK(door.doorman->error_hold(bob.host) == milliseconds(3000));
  CHECK(door.doorman->error_hold("192.0.2.9") == milliseconds(1500));
}

}  // namespace
}  // namespace stompbox

#include "broker/access/bearer.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "broker/access/rules_file.h"

namespace stompbox::access {
namespace {

using routing::DestinationKind;

std::shared_ptr<const Users> users(const std::string& name, std::vector<std::string> groups = {}) {
  auto made = std::make_shared<Users>();
  made->put(name, User{SecretKind::kNone, {}, std::move(groups)});
  return made;
}

std::shared_ptr<const Rules> rules(const std::string& toml) {
  auto parsed = parse_rules(toml, "rules");
  REQUIRE(parsed.has_value());
  return std::make_shared<const Rules>(std::move(*parsed));
}

const char* const kStaffOnly =
    "[[rule]]\nallow = \"all\"\ndestination = \"/queue/>\"\ngroups = \"staff\"\n";
const char* const kNobody = "";

// A house with one peer in it.
struct Scene {
  explicit Scene(Identity identity) : bearer(house, std::move(identity)) {}
  void change(std::shared_ptr<const Users> now, std::shared_ptr<const Rules> then) {
    house->users = std::move(now);
    house->rules = std::move(then);
    ++house->edition;
  }
  [[nodiscard]] bool may(const std::string& queue) const {
    return bearer.may(Operation::kRead, {DestinationKind::kQueue, queue, false}, headers);
  }
  std::shared_ptr<House> house = std::make_shared<House>();
  protocol::Headers headers;
  Bearer bearer;
};

TEST_CASE("without rules who is known may do everything") {
  Scene scene({"bob", Proof::kPasscode, {}, {}});
  scene.change(users("bob"), nullptr);
  CHECK(scene.may("a"));
}

TEST_CASE("a user who is not in the file any more may do nothing, even without rules") {
  Scene scene({"bob", Proof::kPasscode, {}, {}});
  scene.change(users("bob"), nullptr);
  REQUIRE(scene.may("a"));
  scene.change(users("alice"), nullptr);
  CHECK_FALSE(scene.may("a"));
}

TEST_CASE("new rules hold for who is in already") {
  Scene scene({"bob", Proof::kPasscode, {}, {}});
  scene.change(users("bob", {"staff"}), rules(kStaffOnly));
  CHECK(scene.may("a"));
  scene.change(scene.house->users, rules(kNobody));
  CHECK_FALSE(scene.may("a"));
  scene.change(scene.house->users, rules(kStaffOnly));
  CHECK(scene.may("a"));
}

TEST_CASE("new groups hold for who is in already, and a user who is gone has none") {
  Scene scene({"bob", Proof::kPasscode, {}, {}});
  scene.change(users("bob", {"staff"}), rules(kStaffOnly));
  CHECK(scene.may("a"));
  scene.change(users("bob", {"guests"}), scene.house->rules);
  CHECK_FALSE(scene.may("a"));
  scene.change(users("alice", {"staff"}), scene.house->rules);
  CHECK_FALSE(scene.may("a"));
}

TEST_CASE("a user who is gone has what anyone has, and no name") {
  Scene scene({"bob", Proof::kPasscode, {}, {}});
  scene.change(users("alice"), rules("[[rule]]\nallow = \"all\"\ndestination = \"/queue/open\"\n"
                                     "users = \"*\"\n[[rule]]\nallow = \"all\"\n"
                                     "destination = \"/queue/%u\"\nusers = [\"+\", \"bob\"]\n"));
  CHECK(scene.may("open"));
  CHECK_FALSE(scene.may("bob"));
}

TEST_CASE("a name that nobody has proven counts for nothing") {
  Scene scene({"bob", Proof::kNone, {}, {}});
  scene.change(nullptr, rules("[[rule]]\nallow = \"all\"\ndestination = \"/queue/>\"\n"
                              "users = [\"+\", \"bob\"]\n"));
  CHECK_FALSE(scene.may("a"));
  scene.change(nullptr, nullptr);
  CHECK(scene.may("a"));
}

TEST_CASE("a user by certificate needs no line in the users file, and has groups by one") {
  Scene scene({"node1", Proof::kCertificate, "node1", {"node1"}});
  scene.change(users("bob"), rules("[[rule]]\nallow = \"all\"\ndestination = \"/queue/%c\"\n"
                                   "users = \"+\"\n" +
                                   std::string(kStaffOnly)));
  CHECK(scene.may("node1"));
  CHECK_FALSE(scene.may("a"));
  scene.change(users("node1", {"staff"}), scene.house->rules);
  CHECK(scene.may("a"));
}

TEST_CASE("more destinations than are remembered are judged as before") {
  Scene scene({"bob", Proof::kPasscode, {}, {}});
  scene.change(users("bob"), rules("[[rule]]\nallow = \"all\"\ndestination = \"/queue/a.*\"\n"
                                   "users = \"+\"\n"));
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 10; ++i) {
      CHECK(scene.may("a." + std::to_string(i)));
      CHECK_FALSE(scene.may("b." + std::to_string(i)));
    }
  }
}

TEST_CASE("what is remembered of a destination still looks at each frame's headers") {
  Scene scene({"bob", Proof::kPasscode, {}, {}});
  scene.change(users("bob"), rules("[[rule]]\nallow = \"all\"\ndestination = \"/queue/a\"\n"
                                   "users = \"+\"\nheaders = { x = \"1\" }\n"));
  CHECK_FALSE(scene.may("a"));
  scene.headers.add("x", "1");
  CHECK(scene.may("a"));
  scene.headers.clear();
  CHECK_FALSE(scene.may("a"));
}

}  // namespace
}  // namespace stompbox::access

#include "broker/access/name_template.h"

#include <string>
#include <utility>

#include <doctest/doctest.h>

namespace stompbox::access {
namespace {

NameTemplate parsed(const std::string& text) {
  auto made = NameTemplate::parse(text);
  REQUIRE_MESSAGE(made.has_value(), text);
  return std::move(*made);
}

bool matches(const std::string& rule, const std::string& name, const std::string& user = "u",
             const std::string& certificate = "c") {
  return parsed(rule).covers(name, Naming::kOne, {user, certificate});
}

bool covers(const std::string& rule, const std::string& pattern, const std::string& user = "u") {
  return parsed(rule).covers(pattern, Naming::kPattern, {user, "c"});
}

bool overlaps(const std::string& rule, const std::string& pattern, const std::string& user = "u") {
  return parsed(rule).overlaps(pattern, Naming::kPattern, {user, "c"});
}

TEST_CASE("wildcards of a rule are those of subscriptions") {
  CHECK(matches("a.b", "a.b"));
  CHECK_FALSE(matches("a.b", "a.bc"));
  CHECK(matches("a.*", "a.b"));
  CHECK_FALSE(matches("a.*", "a.b.c"));
  CHECK_FALSE(matches("a.*", "a"));
  CHECK(matches("a.b*d", "a.bcd"));
  CHECK_FALSE(matches("a.b*d", "a.b.d"));
  CHECK(matches("a.>", "a.b.c"));
  CHECK_FALSE(matches("a.>", "a"));
  CHECK(matches("a.**.c", "a.c"));
  CHECK(matches("a.#.c", "a.b.b.c"));
  CHECK(matches(">", "a.b"));
  CHECK(matches("**", "a"));
}

TEST_CASE("a number is decimal digits and nothing else") {
  CHECK(matches("r_%d", "r_14505"));
  CHECK(matches("r_%d.%d", "r_1.2"));
  CHECK_FALSE(matches("r_%d", "r_"));
  CHECK_FALSE(matches("r_%d", "r_1x"));
  CHECK_FALSE(matches("r_%d", "r_1.2"));
  CHECK_FALSE(matches("r_%d", "r_*"));
  CHECK_FALSE(covers("r_%d", "r_*"));
}

TEST_CASE("a user's dots part segments like any others") {
  const std::string identity = "client.example.com";
  CHECK(matches("reply.%u_%d.%d", "reply.client.example.com_14505.1", identity));
  CHECK(matches("reply.%u_*.*", "reply.client.example.com_14505.1", identity));
  CHECK_FALSE(matches("reply.%u_%d.%d", "reply.other.example.com_14505.1", identity));
  CHECK_FALSE(matches("reply.%u_%d.%d", "reply.client.example.org_14505.1", identity));
  CHECK_FALSE(matches("reply.%u_%d.%d", "reply.xclient.example.com_14505.1", identity));
}

TEST_CASE("a number keeps the names of one user apart from those of a longer one") {
  CHECK(matches("reply.%u_%d", "reply.a_5", "a"));
  CHECK_FALSE(matches("reply.%u_%d.%d", "reply.a_b.example.com_5.1", "a"));
  CHECK_FALSE(matches("reply.%u_%d.%d", "reply.a_5.b_7.1", "a"));
}

TEST_CASE("a user's name widens no pattern, whatever its letters are") {
  for (const char* user : {"*", ">", "**", "#", "a.>", "a.**", "*.*", "a*", "%u", "%d"}) {
    CAPTURE(user);
    CHECK(matches("x.%u", std::string("x.") + user, user));
    CHECK_FALSE(matches("x.%u", "x.victim", user));
    CHECK_FALSE(matches("x.%u", "x.a.victim", user));
    CHECK_FALSE(matches("x.%u", "x.7", user));
    // The name as a subscription's pattern means others, too.
    CHECK_FALSE(covers("x.%u", "x.>", user));
    const bool is_pattern = std::string(user).find('%') == std::string::npos;
    if (is_pattern) CHECK_FALSE(covers("x.%u", std::string("x.") + user, user));
  }
}

TEST_CASE("a user's name widens nothing within a segment either") {
  CHECK_FALSE(matches("x.%u_1", "x.victim_1", "*"));
  CHECK_FALSE(covers("x.%u_1", "x.*_1", "*"));
  CHECK_FALSE(covers("x.%u_*", "x.v*_*", "v*"));
}

TEST_CASE("a rule that asks for a name fits nobody who has none") {
  CHECK_FALSE(matches("x.%u", "x.", ""));
  CHECK_FALSE(matches("x.%u*", "x.victim", ""));
  CHECK_FALSE(matches("x.%c", "x.", "u", ""));
  CHECK(matches("x.%c", "x.node1", "u", "node1"));
  CHECK_FALSE(overlaps("x.%u", "x.*", ""));
}

TEST_CASE("a rule covers a pattern when it covers all that the pattern matches") {
  CHECK(covers("a.>", "a.>"));
  CHECK(covers("a.>", "a.*.b"));
  CHECK(covers("a.>", "a.b.**"));
  CHECK(covers("a.*.c", "a.*.c"));
  CHECK(covers("a.*", "a.b*"));
  CHECK(covers("a.b*", "a.bc*"));
  CHECK(covers(">", "**"));
  CHECK(covers(">", "#"));
  CHECK_FALSE(covers("a.*", "a.>"));
  CHECK_FALSE(covers("a.b", "a.*"));
  CHECK_FALSE(covers("a.>", ">"));
  CHECK_FALSE(covers("a.>", "a.**"));
  CHECK_FALSE(covers("a.bc*", "a.b*"));
  CHECK_FALSE(covers("reply.%u_%d.%d", "reply.>", "client"));
  CHECK_FALSE(covers("reply.%u_%d.%d", "reply.client_*.*", "client"));
}

TEST_CASE("a pattern overlaps a rule when they have a name in common") {
  CHECK(overlaps("a.secret", "a.*"));
  CHECK(overlaps("a.secret", ">"));
  CHECK(overlaps("a.secret", "**.secret"));
  CHECK(overlaps("a.secret", "a.sec*"));
  CHECK(overlaps("a.*.c", "*.b.*"));
  CHECK(overlaps("a.>", "**.z"));
  CHECK_FALSE(overlaps("a.%u", "a.*", "x.y"));
  CHECK(overlaps("a.%u", "a.*.y", "x.y"));
  CHECK_FALSE(overlaps("a.secret", "a.*.b"));
  CHECK_FALSE(overlaps("a.secret", "b.>"));
  CHECK_FALSE(overlaps("a.secret", "a.pub*"));
  CHECK_FALSE(overlaps("a.secret", "a.*x"));
  CHECK_FALSE(overlaps("a.>", "a"));
}

TEST_CASE("one name overlaps a rule that matches it") {
  CHECK(parsed("a.>").overlaps("a.b.c", Naming::kOne, {}));
  CHECK_FALSE(parsed("a.>").overlaps("b", Naming::kOne, {}));
  // Where wildcards are letters, a star is one.
  CHECK_FALSE(parsed("a.b").overlaps("a.*", Naming::kOne, {}));
}

TEST_CASE("a name of many segments is judged in time") {
  std::string name = "a";
  for (int i = 0; i < 5000; ++i)
    name += ".*";
  CHECK_FALSE(covers("**.b.**.>", name));
  CHECK(overlaps("**.b.**.c.**.d", name));
}

TEST_CASE("what makes no sense in a rule's name is refused") {
  for (const char* text : {"", "a.>.b", "a.%x", "a.%", "%d%d", "%d1", "%d%u"}) {
    CAPTURE(text);
    CHECK_FALSE(NameTemplate::parse(text).has_value());
  }
  CHECK(matches("a.100%%", "a.100%"));
}

}  // namespace
}  // namespace stompbox::access

#include "broker/access/name_template.h"

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace stompbox::access {
namespace {

NameTemplate parsed(const std::string& text) {
  auto made = NameTemplate::parse(text);
  REQUIRE_MESSAGE(made.has_value(), text);
  return std::move(*made);
}

using Names = std::vector<const char*>;

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

// A rule, and for which names or patterns a question about it is answered by yes and by no.
struct Verdicts {
  const char* rule;
  Names yes, no;
  const char* user = "u";
};

template <typename Question>
void check(Question question, const std::vector<Verdicts>& table) {
  for (const Verdicts& row : table) {
    CAPTURE(row.rule);
    for (const char* name : row.yes)
      CHECK_MESSAGE(question(row.rule, name, row.user), name);
    for (const char* name : row.no)
      CHECK_FALSE_MESSAGE(question(row.rule, name, row.user), name);
  }
}

constexpr auto kMatches = [](const char* rule, const char* name, const char* user) {
  return matches(rule, name, user);
};
constexpr auto kCovers = [](const char* rule, const char* pattern, const char* user) {
  return covers(rule, pattern, user);
};
constexpr auto kOverlaps = [](const char* rule, const char* pattern, const char* user) {
  return overlaps(rule, pattern, user);
};

TEST_CASE("wildcards of a rule are those of subscriptions") {
  check(kMatches, {{"a.b", {"a.b"}, {"a.bc"}},
                   {"a.*", {"a.b"}, {"a.b.c", "a"}},
                   {"a.b*d", {"a.bcd"}, {"a.b.d"}},
                   {"a.>", {"a.b.c"}, {"a"}},
                   {"a.**.c", {"a.c"}, {}},
                   {"a.#.c", {"a.b.b.c"}, {}},
                   {">", {"a.b"}, {}},
                   {"**", {"a"}, {}}});
}

TEST_CASE("a number is decimal digits and nothing else") {
  check(kMatches,
        {{"r_%d", {"r_14505"}, {"r_", "r_1x", "r_1.2", "r_*"}}, {"r_%d.%d", {"r_1.2"}, {}}});
  check(kCovers, {{"r_%d", {}, {"r_*"}}});
}

TEST_CASE("a user's dots part segments like any others") {
  constexpr const char* kIdentity = "client.example.com";
  check(kMatches, {{"reply.%u_*.*", {"reply.client.example.com_14505.1"}, {}, kIdentity},
                   {"reply.%u_%d.%d",
                    {"reply.client.example.com_14505.1"},
                    {"reply.other.example.com_14505.1", "reply.client.example.org_14505.1",
                     "reply.xclient.example.com_14505.1"},
                    kIdentity}});
}

TEST_CASE("a number keeps the names of one user apart from those of a longer one") {
  check(kMatches, {{"reply.%u_%d", {"reply.a_5"}, {}, "a"},
                   {"reply.%u_%d.%d", {}, {"reply.a_b.example.com_5.1", "reply.a_5.b_7.1"}, "a"}});
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
  check(kCovers, {{"a.>", {"a.>", "a.*.b", "a.b.**"}, {">", "a.**"}},
                  {"a.*.c", {"a.*.c"}, {}},
                  {"a.*", {"a.b*"}, {"a.>"}},
                  {"a.b*", {"a.bc*"}, {}},
                  {"a.bc*", {}, {"a.b*"}},
                  {">", {"**", "#"}, {}},
                  {"a.b", {}, {"a.*"}},
                  {"reply.%u_%d.%d", {}, {"reply.>", "reply.client_*.*"}, "client"}});
}

TEST_CASE("a pattern overlaps a rule when they have a name in common") {
  check(kOverlaps,
        {{"a.secret", {"a.*", ">", "**.secret", "a.sec*"}, {"a.*.b", "b.>", "a.pub*", "a.*x"}},
         {"a.*.c", {"*.b.*"}, {}},
         {"a.>", {"**.z"}, {"a"}},
         {"a.%u", {"a.*.y"}, {"a.*"}, "x.y"}});
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

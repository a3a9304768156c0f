#include "broker/routing/pattern.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/thread_time.h"

using stompbox::routing::Pattern;

namespace {

bool matches(std::string_view pattern, std::string_view name) {
  return Pattern(pattern).matches(name);
}

bool covers(std::string_view wide, std::string_view narrow) {
  return Pattern(wide).covers(Pattern(narrow));
}

// A pattern, and for which names or patterns a question about it is answered by yes and by no.
struct Verdicts {
  std::string pattern;
  std::vector<const char*> yes, no;
};

template <typename Question>
void check(Question question, const std::vector<Verdicts>& table) {
  for (const Verdicts& row : table) {
    CAPTURE(row.pattern);
    for (const char* name : row.yes)
      CHECK_MESSAGE(question(row.pattern, name), name);
    for (const char* name : row.no)
      CHECK_FALSE_MESSAGE(question(row.pattern, name), name);
  }
}

// What a pattern means, said in the simplest way: exponential, for short names only.
bool naive_segment(std::string_view glob, std::string_view text) {
  if (glob.empty()) return text.empty();
  if (glob.front() == '*')
    return naive_segment(glob.substr(1), text) ||
           (!text.empty() && naive_segment(glob, text.substr(1)));
  return !text.empty() && glob.front() == text.front() &&
         naive_segment(glob.substr(1), text.substr(1));
}

bool naive(const std::vector<std::string>& pattern, std::size_t p,
           const std::vector<std::string>& name, std::size_t n) {
  if (p == pattern.size()) return n == name.size();
  if (pattern[p] == "**" || pattern[p] == "#")
    return naive(pattern, p + 1, name, n) || (n < name.size() && naive(pattern, p, name, n + 1));
  if (pattern[p] == ">" && p + 1 == pattern.size()) return n < name.size();
  return n < name.size() && naive_segment(pattern[p], name[n]) &&
         naive(pattern, p + 1, name, n + 1);
}

std::string joined(const std::vector<std::string>& segments) {
  std::string text;
  for (const std::string& segment : segments)
    text.append(text.empty() && &segment == &segments.front() ? "" : ".").append(segment);
  return text;
}

class Chance {
 public:
  explicit Chance(unsigned seed) : engine_(seed) {}

  std::vector<std::string> some_of(const std::vector<std::string>& words) {
    std::vector<std::string> chosen(1 + engine_() % 4);
    for (std::string& word : chosen)
      word = words[engine_() % words.size()];
    return chosen;
  }

 private:
  std::mt19937 engine_;
};

const std::vector<std::string> kPatternWords = {"a", "b", "ab", "*",  "**",
                                                "#", ">", "a*", "*b", "*a*"};
const std::vector<std::string> kNameWords = {"a", "b", "ab", "ba", "aab", ""};

}  // namespace

TEST_CASE("a star is one segment") {
  check(matches, {{"a.*.c", {"a.b.c"}, {"a.c", "a.b.b.c"}}, {"*", {"a"}, {"a.b"}}});
}

TEST_CASE("a closing angle bracket at the end is the rest, one segment at least") {
  check(matches, {{"a.>", {"a.b", "a.b.c.d"}, {"a", "ab.c"}}, {">", {"a", "a.b"}, {}}});
}

TEST_CASE("a closing angle bracket before the end is a letter") {
  check(matches, {{"a.>.c", {"a.>.c"}, {"a.b.c"}}});
  CHECK(Pattern("a.>.c").is_literal());
  CHECK(Pattern("a>").is_literal());
}

TEST_CASE("two stars and a hash are any number of segments, none included") {
  for (const std::string any : {"**", "#"}) {
    check(matches, {{"a." + any, {"a", "a.b.c"}, {}},
                    {any + ".c", {"c", "a.b.c"}, {}},
                    {"a." + any + ".c", {"a.c", "a.b.c.c"}, {"a.b"}},
                    {any, {"a.b"}, {}}});
  }
}

TEST_CASE("a star within a segment stands for any letters of that segment") {
  check(matches, {{"foo*", {"foo", "foobar"}, {"foo.bar", "fo"}},
                  {"*bar.x", {"foobar.x"}, {}},
                  {"f*o*r", {"foobar"}, {}},
                  {"mcollective.reply.*_*.1", {"mcollective.reply.client_14505.1"}, {}}});
}

TEST_CASE("a name without wildcards matches itself only, whatever letters it has") {
  for (const char* name : {"a.b", "a#", "#a", "x.a>", "", ".", "a..b", "/queue/a"}) {
    CHECK(Pattern(name).is_literal());
    CHECK_FALSE(Pattern::has_wildcard(name));
    CHECK(matches(name, name));
    CHECK_FALSE(matches(name, std::string(name) + "x"));
  }
  for (const char* name : {"a.*", "a*", "**", "a.#", "#.a", ">", "a.>", "a.***"})
    CHECK(Pattern::has_wildcard(name));
}

TEST_CASE("a pattern matches what its definition says, at random") {
  Chance chance(1);
  int matched = 0;
  for (int round = 0; round < 20'000; ++round) {
    const auto pattern = chance.some_of(kPatternWords);
    const auto name = chance.some_of(kNameWords);
    const bool expected = naive(pattern, 0, name, 0);
    matched += expected ? 1 : 0;
    INFO(joined(pattern), " against ", joined(name));
    REQUIRE(matches(joined(pattern), joined(name)) == expected);
  }
  CHECK(matched > 1000);
}

TEST_CASE("many wildcards do not make a match slow") {
  std::string segments;
  std::string any;
  for (int i = 0; i < 250; ++i) {
    segments += "a.";
    any += "**.a.";
  }
  const double start = stompbox::support::thread_seconds();
  CHECK_FALSE(matches(any + "b", segments + "c"));
  CHECK_FALSE(matches("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", std::string(1000, 'a')));
  CHECK_FALSE(covers(any + "b", any + "c"));
  CHECK(stompbox::support::thread_seconds() - start < 2);
}

TEST_CASE("a rule covers itself and what is narrower, not what is wider") {
  check(covers, {{"mcollective.>", {"mcollective.*.agent"}, {}},
                 {"mcollective.*.agent",
                  {"mcollective.*.agent", "mcollective.rpcutil.agent"},
                  {"mcollective.>", ">"}},
                 {"mcollective.reply.>", {"mcollective.reply.a.b"}, {}},
                 {"mcollective.reply.node_*",
                  {"mcollective.reply.node_1*"},
                  {"mcollective.reply.>", "mcollective.reply.*"}}});
}

TEST_CASE("the spellings of everything cover each other") {
  for (const char* wide : {">", "**", "#", "**.#"}) {
    for (const char* narrow : {">", "**", "#", "*", "a", "a.>", "#.a", "a*.b"}) {
      INFO(std::string(wide), " ", std::string(narrow));
      CHECK(covers(wide, narrow));
    }
  }
  check(covers, {{"a.>", {"a.#.b", "a.#.b.*"}, {"a.#"}},
                 {"a.*.>", {}, {"a.#.b"}},
                 {"*", {}, {">"}},
                 {"a.#", {"a.>"}, {}}});
}

TEST_CASE("what a covered pattern matches is matched by the covering one, at random") {
  Chance chance(2);
  int covered = 0;
  for (int round = 0; round < 4'000; ++round) {
    const std::string wide = joined(chance.some_of(kPatternWords));
    const std::string narrow = joined(chance.some_of(kPatternWords));
    if (!covers(wide, narrow)) continue;
    ++covered;
    for (int i = 0; i < 50; ++i) {
      const std::string name = joined(chance.some_of(kNameWords));
      INFO(wide, " covers ", narrow, " but for ", name);
      REQUIRE((!matches(narrow, name) || matches(wide, name)));
    }
  }
  CHECK(covered > 200);
}

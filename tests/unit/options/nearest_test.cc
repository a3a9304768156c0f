#include "broker/options/nearest.h"

#include <array>
#include <string>

#include <doctest/doctest.h>

namespace stompbox::options {
namespace {

constexpr std::array<std::string_view, 5> kVerbs = {"serve", "send", "receive", "status", "queues"};

TEST_CASE("a misspelt word is taken for the one with the fewest edits") {
  CHECK(nearest("serv", kVerbs) == "serve");
  CHECK(nearest("sned", kVerbs) == "send");
  CHECK(nearest("recieve", kVerbs) == "receive");
  CHECK(nearest("stauts", kVerbs) == "status");
  CHECK(nearest("queue", kVerbs) == "queues");
}

TEST_CASE("a word that is near to nothing has no suggestion") {
  CHECK(nearest("kubernetes", kVerbs).empty());
  CHECK(nearest("", kVerbs).empty());
  CHECK(nearest("x", kVerbs).empty());
  CHECK(nearest(std::string(10'000, 's'), kVerbs).empty());
}

TEST_CASE("of two that are equally near the first is taken") {
  constexpr std::array<std::string_view, 2> kPair = {"aab", "aac"};
  CHECK(nearest("aad", kPair) == "aab");
}

}  // namespace
}  // namespace stompbox::options

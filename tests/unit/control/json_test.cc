#include "broker/control/json.h"

#include <doctest/doctest.h>

#include <string>

using namespace stompbox::control;

TEST_CASE("text that is not UTF-8 is taken for Latin-1, so that every answer is JSON") {
  CHECK(to_utf8("K\xC3\xB6ln") == "K\xC3\xB6ln");
  CHECK(to_utf8("K\xF6ln") == "K\xC3\xB6ln");
  CHECK(Json().value("\xFF").text() == "\"\xC3\xBF\"");
}

TEST_CASE("UTF-8 is told from what only looks like it") {
  using namespace std::string_literals;
  for (const auto& text : {""s, "abc"s, "\xC3\xB6"s, "\xF0\x9F\x98\x80"s, "\0"s})
    CHECK(is_utf8(text));
  for (const auto& text :
       {"\xC3"s, "\x80"s, "\xC0\x80"s, "\xED\xA0\x80"s, "\xF8\x88\x80\x80\x80"s}) {
    CHECK_FALSE(is_utf8(text));
  }
}

TEST_CASE("base64 as RFC 4648 has it") {
  CHECK(to_base64("").empty());
  CHECK(to_base64("f") == "Zg==");
  CHECK(to_base64("fo") == "Zm8=");
  CHECK(to_base64("foo") == "Zm9v");
  CHECK(to_base64("foobar") == "Zm9vYmFy");
}

TEST_CASE("a document is written in the order of the calls") {
  const std::optional<int> nothing;
  CHECK(Json()
            .begin_object()
            .field("a", 1U)
            .field("b", -2)
            .field("c", true)
            .field("d", nothing)
            .key("e")
            .begin_array()
            .value("x\n")
            .end_array()
            .end_object()
            .text() == R"({"a":1,"b":-2,"c":true,"d":null,"e":["x\n"]})");
}

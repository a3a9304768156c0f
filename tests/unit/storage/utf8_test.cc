#include "storage/utf8.h"

#include <doctest/doctest.h>

#include <string>

namespace stompbox::storage {

TEST_CASE("well-formed UTF-8 is told from everything else") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("plain ASCII that is longer than a word or two"));
  CHECK(is_utf8("ä€😀\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF"));
  for (const char* bad : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x9F\xBF",
                          "\xE2\x82", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF",
                          "\xF0\x9F\x98", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    CHECK_FALSE(is_utf8(bad));
    CHECK(utf8_prefix(std::string("twelve bytes") + bad) == 12);
    CHECK(utf8_prefix(std::string("ä") + bad + "x") == 2);
  }
}

TEST_CASE("a text is cut between its characters") {
  CHECK(whole_characters("plain", 3) == "pla");
  CHECK(whole_characters("plain", 5) == "plain");
  CHECK(whole_characters("aä", 2) == "a");
  CHECK(whole_characters("aä", 3) == "aä");
  CHECK(whole_characters("😀x", 3).empty());
  CHECK(whole_characters("\x80\x80\x80", 2).empty());
}

}  // namespace stompbox::storage

#include "storage/catalog/reading/pson_mend.h"

#include <doctest/doctest.h>

#include <string>

namespace stompbox::catalog::reading {

TEST_CASE("plain JSON is left as it is") {
  const std::string text = R"({"a":[1,-2.5,true,null],"b":"x\n\u00e9\ud83d\ude00\\\"/"})";
  const MendedPson mended = mend_pson(text);
  CHECK_FALSE(mended.changed);
  CHECK(mended.text == text);
}

TEST_CASE("comments become blanks of the same length") {
  CHECK(mend_pson("[1,/* x */2]").text == "[1,       2]");
  CHECK(mend_pson("[1,// x\n2]").text == "[1,    \n2]");
  CHECK(mend_pson("[1]// x").text == "[1]    ");
  CHECK(mend_pson("/***/[]").text == "     []");
}

TEST_CASE("a comment that does not end is left for the parser to refuse") {
  CHECK_FALSE(mend_pson("[1]/* x").changed);
  CHECK_FALSE(mend_pson("[1]/").changed);
}

TEST_CASE("what looks like a comment in a string is text") {
  CHECK_FALSE(mend_pson(R"(["http://x /* y */"])").changed);
}

TEST_CASE("an unknown escape loses its backslash") {
  const MendedPson mended = mend_pson(R"(["\q\u12\\q"])");
  CHECK(mended.text == R"(["qu12\\q"])");
  CHECK(mended.original_offset(1) == 1);
  CHECK(mended.original_offset(2) == 3);
  CHECK(mended.original_offset(4) == 6);
}

TEST_CASE("an escaped control character stays an error") {
  CHECK_FALSE(mend_pson("[\"\\\n\"]").changed);
}

TEST_CASE("half a surrogate pair becomes the replacement character") {
  CHECK(mend_pson(R"(["\ud83d"])").text == R"(["\ufffd"])");
  CHECK(mend_pson(R"(["\udc00x"])").text == R"(["\ufffdx"])");
  CHECK(mend_pson(R"(["\ud83d\ud83d\udc00"])").text == R"(["\ufffd\ud83d\udc00"])");
}

TEST_CASE("numbers beyond a double leave a zero and a note") {
  const MendedPson mended = mend_pson(R"([1e999, 5])");
  CHECK(mended.text == "[0    , 5]");
  CHECK(mended.odd_number(1) == "1e999");
  CHECK(mended.odd_number(8).empty());
}

TEST_CASE("a text cut anywhere is mended without reading beyond it") {
  const std::string text = R"(/* a */["\q\ud83d\u00e9", -1.5e400, 12345 // b)";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string part = text.substr(0, size);  // its own allocation, for the sanitizers
    CHECK(mend_pson(part).text.size() <= size);
  }
}

}  // namespace stompbox::catalog::reading

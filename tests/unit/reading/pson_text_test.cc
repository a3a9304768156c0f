#include "storage/catalog/reading/pson_text.h"

#include <doctest/doctest.h>

#include <string>

namespace stompbox::catalog::reading {
namespace {

PsonText text_of(BytePolicy policy) {
  PsonText text(policy);
  text.expect({true, true, true, true});
  return text;
}

}  // namespace

TEST_CASE("every byte of Latin-1 has its character") {
  CHECK(latin1_to_utf8("K\xF6ln") == "Köln");
  CHECK(latin1_to_utf8("\x80\xA0\xFF") == "\xC2\x80\xC2\xA0ÿ");
}

TEST_CASE("policies for a string that is not UTF-8") {
  CHECK(text_of(BytePolicy::kLatin1).value("gr\xFC\xDF") == "grüß");
  CHECK(text_of(BytePolicy::kReplace).value("gr\xFC\xDF!") == "gr\uFFFD\uFFFD!");
  CHECK(text_of(BytePolicy::kKeep).value("gr\xFC\xDF") == "gr\xFC\xDF");
}

TEST_CASE("UTF-8 passes under every policy") {
  for (const auto policy : {BytePolicy::kLatin1, BytePolicy::kReplace, BytePolicy::kKeep}) {
    PsonText text = text_of(policy);
    CHECK(text.value("größe €") == "größe €");
    CHECK(text.findings().empty());
  }
}

TEST_CASE("what was mended is counted, a sentence a kind") {
  PsonText text = text_of(BytePolicy::kLatin1);
  CHECK(text.value("\xFC") == "ü");
  CHECK(text.value("\xFC\xDC") == "üÜ");
  CHECK(text.value("\xED\xB0\x80") == "\uFFFD");
  CHECK(text.name(std::string("a\0", 2)) == "a\uFFFD");
  CHECK(text.value(std::string("a\0", 2)) == std::string("a\0", 2));
  CHECK(text.findings() ==
        std::vector<std::string>{"2 strings not UTF-8, taken for Latin-1",
                                 "1 string with half a surrogate pair, replaced by U+FFFD",
                                 "1 string used as a name with a NUL, replaced by U+FFFD"});
  text.restart();
  CHECK(text.findings().empty());
}

TEST_CASE("the traits of a text are found wherever they stand") {
  for (std::size_t before = 0; before < 70; ++before) {
    const std::string x(before, 'x');
    CHECK(find_traits(x + "\xC3").foreign_bytes);
    CHECK(find_traits("\xFC" + x + "ä").foreign_bytes);
    CHECK(find_traits(x + "\\u0000").ascii_escapes);
    CHECK(find_traits(x + "\\ud83d").surrogate_escapes);
    CHECK(find_traits(x + "\\uDC00").surrogate_escapes);
    CHECK(find_traits(x + "--- a").yaml_marks);
    CHECK(find_traits(x + "--- ").yaml_marks);
    const PsonTraits none = find_traits("ä" + x + "\\u20acß\\n---x\x7f");
    CHECK_FALSE((none.foreign_bytes || none.yaml_marks));
    CHECK_FALSE((none.ascii_escapes || none.surrogate_escapes));
  }
  CHECK_FALSE(find_traits("").foreign_bytes);
}

}  // namespace stompbox::catalog::reading

#include "broker/verbs/table.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <time.h>

#include <string>

using namespace stompbox::verbs;

TEST_CASE("columns are as wide as their widest cell, and no line ends in blanks") {
  Table table({{"NAME"}, {"COUNT", Align::kRight}, {"REST"}});
  table.add({"a", "1", "x"});
  table.add({"longer", "1000", ""});
  CHECK(table.text() ==
        "NAME    COUNT  REST\n"
        "a           1  x\n"
        "longer   1000\n");
}

TEST_CASE("columns without titles have no line for them") {
  Table table({{""}, {""}});
  table.add({"data", "./var"});
  table.add({"up", "3 s"});
  CHECK(table.text() == "data  ./var\nup    3 s\n");
}

TEST_CASE("letters beyond ASCII count as one column each") {
  Table table({{"A"}, {"B"}});
  table.add({"K\xC3\xB6ln", "x"});
  table.add({"abcd", "y"});
  CHECK(table.text() == "A     B\nK\xC3\xB6ln  x\nabcd  y\n");
}

TEST_CASE("what strangers wrote can do nothing to a terminal") {
  CHECK(printable("a\x1B[31mb\nc\x7F") == "a [31mb c ");
  CHECK(printable("a\xC2\x9B"
                  "31m") == "a 31m");
  CHECK(printable("K\xF6ln") == "K\xC3\xB6ln");
}

TEST_CASE("a long text is cut between characters") {
  CHECK(shorten("abcdef", 6) == "abcdef");
  CHECK(shorten("abcdefg", 6) == "abc...");
  CHECK(shorten("\xC3\xB6\xC3\xB6\xC3\xB6\xC3\xB6\xC3\xB6", 4) == "\xC3\xB6...");
}

TEST_CASE("ages are told in the largest unit of which there are two") {
  CHECK(show_age(-1) == "-");
  CHECK(show_age(0) == "0 s");
  CHECK(show_age(1'999) == "1 s");
  CHECK(show_age(119'000) == "119 s");
  CHECK(show_age(120'000) == "2 min");
  CHECK(show_age(90 * 60'000) == "90 min");
  CHECK(show_age(3 * 3'600'000) == "3 h");
  CHECK(show_age(48LL * 3'600'000) == "2 d");
}

TEST_CASE("sizes are told with one decimal") {
  CHECK(show_bytes(0) == "0 B");
  CHECK(show_bytes(1023) == "1023 B");
  CHECK(show_bytes(1536) == "1.5 KiB");
  CHECK(show_bytes(1024ULL * 1024) == "1.0 MiB");
  CHECK(show_bytes(UINT64_MAX / 16) == "1023.9 PiB");
}

TEST_CASE("times are local") {
  REQUIRE(::setenv("TZ", "UTC-2", 1) == 0);
  ::tzset();
  CHECK(show_time(1'000'000'000'000) == "2001-09-09 03:46:40");
}

TEST_CASE("one thing is counted without an s") {
  CHECK(counted(0, "letter") == "0 letters");
  CHECK(counted(1, "letter") == "1 letter");
  CHECK(counted(2, "letter") == "2 letters");
}

#include "broker/faces/ini.h"

#include <doctest/doctest.h>

namespace stompbox::faces {
namespace {

TEST_CASE("sections have keys in small letters, values with either sign, comments and more lines") {
  const auto file = read_ini(
      "# a comment\n"
      "[coilmq]\r\n"
      "Listen_Port = 61614\r\n"
      "qstore.factory: coilmq.store.dbm.make_dbm\n"
      "url = sqlite:///a=b:c\n"
      "long = one\n"
      "  two\n"
      "; another\n"
      "empty =\n"
      "\n"
      "[auth]\n"
      "scott = tiger",
      "x.ini");
  REQUIRE(file.has_value());
  const auto& section = file->find("coilmq")->second;
  CHECK(section.at("listen_port") == "61614");
  CHECK(section.at("qstore.factory") == "coilmq.store.dbm.make_dbm");
  CHECK(section.at("url") == "sqlite:///a=b:c");
  CHECK(section.at("long") == "one\ntwo");
  CHECK(section.at("empty").empty());
  CHECK(file->find("auth")->second.at("scott") == "tiger");
}

TEST_CASE("a line that is none of an INI file is told with its number") {
  for (const char* text :
       {"key = before any section\n", "[open\n", "[a]\nno sign\n", "[a]\n= x\n"}) {
    CAPTURE(text);
    const auto file = read_ini(text, "x.ini");
    REQUIRE_FALSE(file.has_value());
    CHECK(file.error().text.find("x.ini line ") == 0);
  }
}

}  // namespace
}  // namespace stompbox::faces

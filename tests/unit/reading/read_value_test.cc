#include <doctest/doctest.h>

#include "storage/catalog/reading/stored_value.h"
#include "tests/unit/reading/read_support.h"

namespace stompbox::catalog::reading::test {

TEST_CASE("strings are stored bare") {
  CHECK(rows(R"("plain")") == Rows{"plain"});
  CHECK(rows(R"("")") == Rows{""});
  CHECK(rows(R"(" \t ")") == Rows{" \t "});
  CHECK(rows(R"("one\ntwo\r\nthree\n")") == Rows{"one\ntwo\r\nthree\n"});
  CHECK(rows(R"("File[/x]")") == Rows{"File[/x]"});
  CHECK(rows(R"("007")") == Rows{"007"});
  CHECK(rows(R"("K\u00f6ln \u20ac \ud83d\ude00 \/ \b\f")") == Rows{"Köln € 😀 / \b\f"});
}

TEST_CASE("booleans and the words for them are stored alike") {
  CHECK(rows("true") == Rows{"true"});
  CHECK(rows("false") == Rows{"false"});
  CHECK(rows(R"("true")") == Rows{"true"});
  CHECK(rows(R"(["false", true])") == Rows{"false", "true"});
}

TEST_CASE("integers keep every digit") {
  CHECK(rows("42") == Rows{"42"});
  CHECK(rows("-7") == Rows{"-7"});
  CHECK(rows("0") == Rows{"0"});
  CHECK(rows("-0") == Rows{"0"});
  CHECK(rows("123456789012345678901234567890") == Rows{"123456789012345678901234567890"});
  const std::string huge(1000, '7');
  CHECK(rows(huge) == Rows{huge});
  CHECK(rows("[-" + huge + ",1]") == Rows{"-" + huge, "1"});
  CHECK(rows("{\"k\":" + huge + "}") == Rows{"--- {\"k\": " + huge + "}"});
}

TEST_CASE("floats are stored as Ruby prints them") {
  CHECK(rows("1.5") == Rows{"1.5"});
  CHECK(rows("1.50") == Rows{"1.5"});
  CHECK(rows("-0.25") == Rows{"-0.25"});
  CHECK(rows("0.0") == Rows{"0.0"});
  CHECK(rows("-0.0") == Rows{"-0.0"});
  CHECK(rows("3.0") == Rows{"3.0"});
  CHECK(rows("1e3") == Rows{"1000.0"});
  CHECK(rows("1E+3") == Rows{"1000.0"});
  CHECK(rows("12.5e-1") == Rows{"1.25"});
  CHECK(rows("0.1") == Rows{"0.1"});
  CHECK(rows("0.0001") == Rows{"0.0001"});
  CHECK(rows("0.00001") == Rows{"1.0e-05"});
  CHECK(rows("1.5e-7") == Rows{"1.5e-07"});
  CHECK(rows("1e15") == Rows{"1000000000000000.0"});
  CHECK(rows("1e16") == Rows{"1.0e+16"});
  CHECK(rows("1.25e100") == Rows{"1.25e+100"});
  CHECK(rows("123456789.123456789") == Rows{"123456789.12345679"});
  CHECK(rows("9007199254740993.0") == Rows{"9007199254740992.0"});
}

TEST_CASE("a float beyond a double keeps its text") {
  CHECK(rows("1e400") == Rows{"1e400"});
  CHECK(rows("[1e400, -2.5E-999, 1e3]") == Rows{"1e400", "-2.5E-999", "1000.0"});
}

TEST_CASE("null leaves a parameter out, and an element of an array") {
  CHECK(rows("null").empty());
  CHECK(rows("[null]").empty());
  CHECK(rows(R"(["a", null, "b"])") == Rows{"a", "b"});
}

TEST_CASE("an array has a row an element, in order") {
  CHECK(rows(R"(["b", "a", "b", 3, true])") == Rows{"b", "a", "b", "3", "true"});
  CHECK(rows(R"(["only"])") == Rows{"only"});
  CHECK(rows("[]").empty());
}

TEST_CASE("hashes and nested arrays are flow values on one line") {
  CHECK(rows(R"({"a":1,"b":["p","q"]})") == Rows{R"(--- {"a": 1, "b": ["p", "q"]})"});
  CHECK(rows("{}") == Rows{"--- {}"});
  CHECK(rows("[[]]") == Rows{"--- []"});
  CHECK(rows(R"([["a","b"],"c"])") == Rows{R"(--- ["a", "b"])", "c"});
  CHECK(rows(R"({"n":null,"t":true,"f":false,"x":1e3,"e":{}})") ==
        Rows{R"(--- {"n": null, "t": true, "f": false, "x": 1000.0, "e": {}})"});
  CHECK(rows(R"({"true":"true","1":"1"})") == Rows{R"(--- {"true": "true", "1": "1"})"});
}

TEST_CASE("a reference within a hash keeps the structure in which old masters send it") {
  CHECK(
      rows(R"({"conf":{"type":"File","title":"/x","tags":["file"],"exported":false}})") ==
      Rows{
          R"(--- {"conf": {"type": "File", "title": "/x", "tags": ["file"], "exported": false}})"});
}

TEST_CASE("strings in structures are escaped as YAML and JSON both read it") {
  CHECK(rows(R"({"k":"q\" b\\ n\n t\t r\r s\/"})") ==
        Rows{R"(--- {"k": "q\" b\\ n\n t\t r\r s/"})"});
  CHECK(rows(R"({"k":"\u0001\u001b\b\f"})") == Rows{R"(--- {"k": "\u0001\u001b\u0008\u000c"})"});
  CHECK(rows("{\"k\":\"\x7f \xC2\x85 \xC2\x9F \xC2\xA0\"}") ==
        Rows{"--- {\"k\": \"\\u007f \\u0085 \\u009f \xC2\xA0\"}"});
  CHECK(rows(R"({"k":"\u2028 \u2029 \ufeff \ufffe \uffff \u2027 \ufffd"})") ==
        Rows{"--- {\"k\": \"\\u2028 \\u2029 \\ufeff \\ufffe \\uffff \xE2\x80\xA7 \xEF\xBF\xBD\"}"});
  CHECK(rows(R"({"k":"K\u00f6ln \ud83d\ude00"})") == Rows{R"(--- {"k": "Köln 😀"})"});
}

TEST_CASE("a string with a line that starts like a YAML document is quoted") {
  CHECK(rows(R"("--- a")") == Rows{R"(--- "--- a")"});
  CHECK(rows(R"("x\n--- do not edit ---\ny")") == Rows{R"(--- "x\n--- do not edit ---\ny")"});
  CHECK(rows(R"(["a", "\u002d-- b"])") == Rows{"a", R"(--- "--- b")"});
  CHECK(rows(R"("---")") == Rows{"---"});
  CHECK(rows(R"("---\n- a")") == Rows{"---\n- a"});
  CHECK(rows(R"("x --- y")") == Rows{"x --- y"});
  CHECK(rows(R"("x\r--- y")") == Rows{"x\r--- y"});
}

TEST_CASE("a NUL in a value is kept in a quoted scalar") {
  CHECK(rows(R"("a\u0000b")") == Rows{R"(--- "a\u0000b")"});
  CHECK(rows(R"({"k":"\u0000"})") == Rows{R"(--- {"k": "\u0000"})"});
}

TEST_CASE("rich scalars are stored as the text that stands for them") {
  CHECK(rows(R"({"__ptype":"Default"})") == Rows{"default"});
  CHECK(rows(R"({"__ptype":"Regexp","__pvalue":"^a\\d+$"})") == Rows{"^a\\d+$"});
  CHECK(rows(R"({"__pvalue":"AAEC","__ptype":"Binary"})") == Rows{"AAEC"});
  CHECK(rows(R"([{"__ptype":"Timestamp","__pvalue":"2024"},"x"])") == Rows{"2024", "x"});
  CHECK(rows(R"({"a":{"__ptype":"URI","__pvalue":"http://x"},"b":{"__ptype":"Default"}})") ==
        Rows{R"(--- {"a": "http://x", "b": "default"})"});
}

TEST_CASE("a rich hash becomes a structure with its keys as text") {
  CHECK(rows(R"({"__ptype":"Hash","__pvalue":[1,"low",{"__ptype":"Default"},[true],null,2.5]})") ==
        Rows{R"(--- {"1": "low", "default": [true], "": 2.5})"});
  CHECK(
      rows(
          R"({"__ptype":"Hash","__pvalue":[["a",1],"x",{"__ptype":"Regexp","__pvalue":"r"},1]})") ==
      Rows{R"(--- {"[\"a\", 1]": "x", "r": 1})"});
}

TEST_CASE("rich objects without a value of their own stay structures") {
  CHECK(rows(R"({"__ptype":"Deferred","name":"f","arguments":[1]})") ==
        Rows{R"(--- {"__ptype": "Deferred", "name": "f", "arguments": [1]})"});
  CHECK(rows(R"({"__ptype":"Hash","__pvalue":[1]})") ==
        Rows{R"(--- {"__ptype": "Hash", "__pvalue": [1]})"});
}

TEST_CASE("sensitive values are withheld by default") {
  const std::string secret = R"({"__ptype":"Sensitive","__pvalue":"s3cret"})";
  CHECK(rows(secret).empty());
  CHECK(rows("[" + secret + R"(,"x"])") == Rows{"Sensitive [value redacted]", "x"});
  CHECK(rows(R"({"user":"u","pass":)" + secret + "}") ==
        Rows{R"(--- {"user": "u", "pass": "Sensitive [value redacted]"})"});
  CHECK(rows(R"({"__pvalue":{"k":"s3cret"},"__ptype":"Sensitive"})").empty());
}

TEST_CASE("sensitive values are stored in the clear when asked for") {
  ReadOptions options;
  options.store_sensitive = true;
  const auto secret = [](const std::string& value) {
    return R"({"__ptype":"Sensitive","__pvalue":)" + value + "}";
  };
  CHECK(rows(secret(R"("s")"), options) == Rows{"s"});
  CHECK(rows(secret(R"(["a","b"])"), options) == Rows{"a", "b"});
  CHECK(rows(secret("null"), options).empty());
  CHECK(rows("{\"k\":" + secret(R"({"p":1})") + "}", options) == Rows{R"(--- {"k": {"p": 1}})"});
}

TEST_CASE("a very long key has the form that YAML demands for it") {
  const std::string key(2000, 'k');
  CHECK(rows("{\"" + key + "\":1}") == Rows{"--- {? \"" + key + "\": 1}"});
}

TEST_CASE("Ruby's layout of floats is met at its bounds") {
  CHECK(number_text("9999999999999998.0") == "9999999999999998.0");
  CHECK(number_text("99999999999999980000.0") == "9.999999999999998e+19");
  CHECK(number_text("0.00099") == "0.00099");
  CHECK(number_text("2.2250738585072014e-308") == "2.2250738585072014e-308");
}

}  // namespace stompbox::catalog::reading::test

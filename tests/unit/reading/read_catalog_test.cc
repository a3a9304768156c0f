#include "storage/catalog/reading/read_catalog.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "storage/catalog/reading/read_warnings.h"
#include "tests/unit/reading/read_support.h"

namespace stompbox::catalog::reading::test {
namespace {

const std::string kResource = R"({"type":"File","title":"/a","parameters":{"p":"v"}})";

void check_same_rows(const Catalog& a, const Catalog& b) {
  CHECK(a.node == b.node);
  CHECK(a.environment == b.environment);
  CHECK(a.resources == b.resources);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

std::string reason(const std::string& body) {
  const auto error = error_of(body);
  CHECK(error.code == storage::ErrorCode::kInvalid);
  return error.text;
}

}  // namespace

TEST_CASE("the envelope is optional") {
  const std::string data =
      R"({"name":"n1","environment":"test","resources":[)" + kResource + R"(],"edges":[]})";
  check_same_rows(read(message(kResource)), read(data));
  check_same_rows(read(data), read(R"({"metadata":{"api_version":1},"data":)" + data + "}"));
  check_same_rows(read(data), read(R"({"data":)" + data + R"(,"document_type":"Catalog"})"));
  CHECK(read(data).environment == "test");
}

TEST_CASE("the name may come after the resources") {
  const Catalog catalog = read(R"({"resources":[)" + kResource +
                               R"(],"metadata":{"name":"no"},"name":"late","edges":[{"name":1}]})");
  CHECK(catalog.node == "late");
  CHECK(catalog.environment.empty());
  CHECK(catalog.resources.size() == 1);
}

TEST_CASE("with an envelope the fields beside data do not count") {
  const Catalog catalog = read(R"({"name":"no","resources":[],"data":{"name":"yes","resources":[)" +
                               kResource + R"(]},"environment":"no","resources":[{"bad":1}]})");
  CHECK(catalog.node == "yes");
  CHECK(catalog.environment.empty());
  CHECK(catalog.resources.size() == 1);
}

TEST_CASE("resources may be a text, with and without wrappers") {
  const std::string wrapped = R"([{"json_class":"Puppet::Resource","data":)" + kResource + "}]";
  const std::string head = R"({"json_class":"Puppet::Resource::Catalog","data":{"name":"n1",)";
  const Catalog expected = read(R"({"name":"n1","resources":[)" + kResource + "]}");
  check_same_rows(expected, read(head + R"("edges":"[]","resources":)" + quoted(wrapped) + "}}"));
  check_same_rows(expected, read(head + R"("resources":)" + quoted("[" + kResource + "]") + "}}"));
  check_same_rows(expected, read(head + R"("resources":)" + wrapped + "}}"));
  CHECK(contains(reason(head + R"("resources":"[{")" + "}}"), "in the text of the resources: "));
  CHECK(contains(reason(head + R"("resources":"{}")" + "}}"), "is not a list"));
}

TEST_CASE("a text of resources that only PSON allows is mended too") {
  const Catalog catalog = read(R"({"name":"n1","resources":)" +
                               quoted(R"([/* odd */{"type":"File","title":"\q"}])") + "}");
  CHECK(catalog.resources.front().title == "q");
}

TEST_CASE("numbers and nulls as name and environment") {
  CHECK(read(R"({"name":17,"environment":null,"resources":[]})").node == "17");
  CHECK(read(R"({"name":"n","environment":"","resources":[]})").environment.empty());
  CHECK(reason(R"({"name":null,"resources":[]})") == "the catalog has no name");
  CHECK(reason(R"({"name":"","resources":[]})") == "the catalog has no name");
  CHECK(reason(R"({"resources":[]})") == "the catalog has no name");
}

TEST_CASE("a catalog without a list of resources is refused: it would erase the node") {
  CHECK(reason(R"({"name":"n"})") == "the catalog has no list of resources");
  CHECK(reason(R"({"name":"n","resources":null})") == "the catalog has no list of resources");
  CHECK(reason(R"({"name":"n","resources":{}})") == "the catalog has no list of resources");
  CHECK(read(R"({"name":"n","resources":[]})").resources.empty());
}

TEST_CASE("what is no catalog is refused with a reason") {
  CHECK(reason("") == "not PSON: the message is empty");
  CHECK(reason(" \n\t ") == "not PSON: the message is empty");
  CHECK(contains(reason("--- !ruby/object:Puppet::Resource::Catalog\n"), "0.25.0beta1"));
  CHECK(contains(reason("\xEF\xBB\xBF{}"), "byte order mark"));
  CHECK(contains(reason("\xFF\xFE{"), "UTF-16"));
  CHECK(contains(reason(std::string("\0{\0}", 4)), "UTF-16"));
  CHECK(contains(reason("42"), "neither an object nor an array"));
  CHECK(contains(reason("hello"), "at byte 0"));
  CHECK(contains(reason("[]"), "a list, not a catalog"));
  CHECK(contains(reason(R"({"name":"n","values":{}})"), "these are facts"));
  CHECK(contains(reason(R"({"certname":"n","version":"9","resources":[],"edges":[]})"),
                 "PuppetDB's wire format"));
}

TEST_CASE("a syntax error is told with its place") {
  CHECK(reason("{\"a\" 1}") == "not PSON: the colon after a key is missing, at byte 5");
  CHECK(reason("{\"a\":1,}") == "not PSON: a key in double quotes is missing, at byte 7");
  CHECK(reason("{\"a\":[1,]}") == "not PSON: there is no value where one has to be, at byte 8");
  CHECK(reason("{\"a\":NaN}") == "not PSON: there is no value where one has to be, at byte 5");
  CHECK(contains(reason("{\"a\":-Infinity}"), "not PSON"));
  CHECK(contains(reason("{\"a\":01}"), "not PSON"));
  CHECK(contains(reason("{\"a\":1.}"), "a number is not well formed"));
  CHECK(contains(reason("{'a':1}"), "a key in double quotes"));
  CHECK(reason("{} {}") == "not PSON: something follows the document, at byte 3");
  CHECK(reason("{\"a\":\"x") ==
        "not PSON: the text ends too early, after 7 bytes, inside a string");
  CHECK(reason("{\"a\":[1") == "not PSON: the text ends too early, after 7 bytes");
  CHECK(reason(std::string("{\"a\":\"x\0y\"}", 11)) == "not PSON: there is a raw NUL, at byte 7");
}

TEST_CASE("raw control characters in strings are refused, every one") {
  for (char c = 1; c < 0x20; ++c) {
    CAPTURE(static_cast<int>(c));
    std::string body = R"({"name":"a long enough name: xx","resources":[]})";
    body[body.find("xx")] = c;
    const std::string place = "at byte " + std::to_string(body.find(c));
    CHECK(contains(reason(body), place));
    CHECK(contains(reason("/**/" + body), "control character"));
  }
}

TEST_CASE("what PSON allows beyond JSON is read") {
  const Catalog plain = read(R"({"name":"n1","resources":[)" + kResource + "]}");
  check_same_rows(
      plain, read("/* a */ {\"name\": // b\n\"n1\",\"resources\":/**/[" + kResource + "]} // end"));
  check_same_rows(plain, read("\r\n\t {\"name\":\"n1\",\"resources\":[" + kResource + "]}\n" +
                              std::string("\0\0", 2)));
  CHECK(read(R"({"name":"\q\1\-n","resources":[]})").node == "q1-n");
  CHECK(read(R"({"name":"\u12n","resources":[]})").node == "u12n");
  CHECK(read(R"({"name":"//no /*comment*/ \\q","resources":[]})").node == "//no /*comment*/ \\q");
}

TEST_CASE("half a surrogate pair becomes the replacement character, with a warning") {
  for (const std::string half : {R"(\ud83d)", R"(\udc00)", R"(\ud83d\ud83d)"}) {
    const Catalog catalog =
        read(R"({"name":"n","resources":[{"type":"A","title":"x)" + half + R"(y\u00e9"}]})");
    const std::string mark = half.size() > 6 ? "\uFFFD\uFFFD" : "\uFFFD";
    CHECK(catalog.resources.front().title == "x" + mark + "yé");
  }
  const Catalog low = read(R"({"name":"n","resources":[{"type":"A","title":"\udc00"}]})");
  CHECK(low.warnings == Rows{"1 string with half a surrogate pair, replaced by U+FFFD"});
}

TEST_CASE("the place of an error is that of the message, mended or not") {
  const std::string body = R"({"name":"\q\q\q","x":})";
  CHECK(contains(reason(body), "at byte " + std::to_string(body.size() - 1)));
}

TEST_CASE("the last of two lists of resources counts") {
  const Catalog catalog = read(R"({"name":"n","resources":[)" + kResource +
                               R"(],"resources":[{"type":"File","title":"/b"}]})");
  REQUIRE(catalog.resources.size() == 1);
  CHECK(catalog.resources.front().title == "/b");
}

TEST_CASE("a string that is not UTF-8 is taken by the policy, each string by itself") {
  const std::string body = R"({"name":"n","resources":[{"type":"File","title":"gr)"
                           "\xFC\xDF"
                           R"(e","parameters":{"good":"größe","bad":"K)"
                           "\xF6"
                           R"(ln"}}]})";
  const Catalog latin1 = read(body);
  CHECK(latin1.resources.front().title == "grüße");
  CHECK(values_of(latin1.resources.front(), "good") == Rows{"größe"});
  CHECK(values_of(latin1.resources.front(), "bad") == Rows{"Köln"});
  CHECK(latin1.warnings == Rows{"2 strings not UTF-8, taken for Latin-1"});
  ReadOptions options;
  options.byte_policy = BytePolicy::kReplace;
  CHECK(values_of(read(body, options).resources.front(), "bad") == Rows{"K\uFFFDln"});
  options.byte_policy = BytePolicy::kKeep;
  CHECK(values_of(read(body, options).resources.front(), "bad") == Rows{"K\xF6ln"});
}

TEST_CASE("a message beyond a limit is too large, and the limit is named") {
  const auto too_large = [](const std::string& body, const ReadOptions& options) {
    const auto error = error_of(body, options);
    CHECK(error.code == storage::ErrorCode::kTooLarge);
    return error.text;
  };
  ReadOptions options;
  options.message_bytes_max = 10;
  CHECK(too_large("{\"name\":\"n\"}", options) == "the message has 12 bytes, the limit is 10");
  options = {};
  options.resource_count_max = 1;
  CHECK(read(message(kResource), options).resources.size() == 1);
  CHECK(
      contains(too_large(message(kResource + "," + kResource), options), "more than 1 resources"));
  options = {};
  options.value_count_max = 50;
  std::string many = "0";
  for (int i = 0; i < 60; ++i)
    many += ",0";
  CHECK(contains(too_large(message(resource(R"(,"parameters":{"p":[)" + many + "]}")), options),
                 "more than 50 values"));
}

TEST_CASE("nesting is limited wherever it is") {
  ReadOptions options;
  options.depth_max = 20;
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  const auto within = [&nested](std::size_t depth) {  // object, data, list, resource, parameters
    return message(resource(R"(,"parameters":{"p":)" + nested(depth - 5) + "}"));
  };
  CHECK(read(within(20), options).resources.size() == 1);
  CHECK(error_of(within(21), options).code == storage::ErrorCode::kTooLarge);
  const auto skipped = [&nested](std::size_t depth) {
    return R"({"name":"n","resources":[],"edges":)" + nested(depth - 1) + "}";
  };
  CHECK(read(skipped(20), options).node == "n");
  CHECK(contains(error_of(skipped(21), options).text, "deeper than 20 levels"));
  options.depth_max = 1'000'000;
  CHECK(contains(error_of(skipped(100'000), options).text, "deeper than 512 levels"));
}

TEST_CASE("the digest depends on what is stored and on nothing else") {
  const auto digest = [](const std::string& name, const std::string& more,
                         const ReadOptions& options = {}) {
    return read(R"({"name":")" + name + R"(","resources":[)" + kResource + "]" + more + "}",
                options)
        .digest;
  };
  const std::string base = digest("n", "");
  CHECK(base.size() == 16);
  CHECK(base == digest("n", R"(,"version":17,"edges":[{"source":"a","target":"b"}])"));
  CHECK(base == digest("n", R"(,"catalog_uuid":"x","classes":["c"],"metadata":{})"));
  CHECK(base != digest("m", ""));
  CHECK(base != digest("n", R"(,"environment":"test")"));
  ReadOptions options;
  options.store_sensitive = true;
  CHECK(base != digest("n", "", options));
  options = {};
  options.byte_policy = BytePolicy::kReplace;
  CHECK(base != digest("n", "", options));
}

TEST_CASE("the digest sees every byte of the resources") {
  const auto digest = [](const std::string& value) {
    return read(message(resource(R"(,"parameters":{"p":")" + value + "\"}"))).digest;
  };
  std::vector<std::string> seen{digest(std::string(100, 'a'))};
  for (std::size_t i = 0; i < 100; ++i) {
    std::string value(100, 'a');
    value[i] = 'b';
    seen.push_back(digest(value));
    seen.push_back(digest(value.substr(0, i)));
  }
  std::sort(seen.begin(), seen.end());
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("the digest of a text of resources depends on it") {
  const auto digest = [](const std::string& title) {
    return read(R"({"name":"n","resources":)" +
                quoted(R"([{"type":"File","title":")" + title + "\"}]") + "}")
        .digest;
  };
  CHECK(digest("/a") == digest("/a"));
  CHECK(digest("/a") != digest("/b"));
}

TEST_CASE("there are at most eight warnings, the last says how many more") {
  std::string tags;
  for (int i = 0; i < 20; ++i)
    tags += "\"bad tag " + std::to_string(i) + "\",";
  const Catalog catalog =
      read(message(R"({"type":"File","title":"/x","tags":[)" + tags + "\"a\"]}"));
  REQUIRE(catalog.warnings.size() == 8);
  CHECK(contains(catalog.warnings[0], "bad tag 0"));
  CHECK(catalog.warnings[7] == "and 13 more warnings");
}

TEST_CASE("text of a message is cut and printable in sentences of ours") {
  CHECK(shown("plain") == "plain");
  CHECK(shown("a\nb\x1b") == "a?b?");
  CHECK(shown(std::string(200, 'x')) == std::string(80, 'x') + "...");
  CHECK(shown("caf\xE9") == "caf...");
}

TEST_CASE("every prefix of a catalog is refused and never crashes") {
  const std::string body =
      message(kResource + "," + resource(R"(,"parameters":{"h":{"a":[1.5]}})"));
  CHECK(read(body).resources.size() == 1);
  for (std::size_t size = 0; size < body.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(read_catalog(body.substr(0, size), {}).has_value());
  }
}

}  // namespace stompbox::catalog::reading::test

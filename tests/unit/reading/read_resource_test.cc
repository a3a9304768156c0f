#include "storage/catalog/reading/read_resource.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/reading/read_support.h"

namespace stompbox::catalog::reading::test {
namespace {

std::vector<std::string> sorted_tags(const std::string& resource) {
  auto tags = read_one(resource).tags;
  std::sort(tags.begin(), tags.end());
  return tags;
}

std::string error_with(const std::string& resource) {
  const auto error = error_of(message(resource));
  CHECK(error.code == storage::ErrorCode::kInvalid);
  return error.text;
}

}  // namespace

TEST_CASE("types are capitalised per segment") {
  CHECK(capitalised_type("file") == "File");
  CHECK(capitalised_type("nagios_HOST") == "Nagios_host");
  CHECK(capitalised_type("apache::vhost::custom") == "Apache::Vhost::Custom");
  CHECK(capitalised_type("Apache::Vhost") == "Apache::Vhost");
  CHECK(read_one(R"({"type":"web::site","title":"x"})").type == "Web::Site");
}

TEST_CASE("the main class is stored as Main with the tag main") {
  const Resource main = read_one(R"({"type":"Class","title":"main","tags":["class"]})");
  CHECK(main.title == "Main");
  CHECK(main.tags == Rows{"class", "main"});
}

TEST_CASE("other titles are stored as they come") {
  CHECK(read_one(R"({"type":"Class","title":"ntp::server"})").title == "ntp::server");
  CHECK(read_one(R"({"type":"Stage","title":"main"})").title == "main");
  CHECK(read_one(R"({"type":"File","title":"/A b\\\" "})").title == "/A b\\\" ");
  CHECK(read_one(R"({"type":"File","title":42})").title == "42");
  CHECK(read_one(R"({"type":"File","title":true})").title == "true");
}

TEST_CASE("a resource without type or title is refused and named by its place") {
  const std::string good = resource("");
  CHECK(error_with(good + R"(,{"title":"x"})") == "resource 2 of the catalog has no type");
  CHECK(error_with(R"({"type":null,"title":"x"})") == "resource 1 of the catalog has no type");
  CHECK(error_with(R"({"type":"","title":"x"})") == "resource 1 of the catalog has no type");
  CHECK(error_with(R"({"type":"File"})") ==
        "resource 1 of the catalog has no title (its type is File)");
  CHECK(error_with(R"({"type":"File","title":null})") ==
        "resource 1 of the catalog has no title (its type is File)");
  CHECK(error_with(R"({"type":"File","title":["x"]})") ==
        "resource 1 of the catalog has no title (its type is File)");
  CHECK(error_with(good + ",null") == "resource 2 of the catalog is not an object");
  CHECK(error_with("\"File[/x]\"") == "resource 1 of the catalog is not an object");
  CHECK(error_with("[]") == "resource 1 of the catalog is not an object");
}

TEST_CASE("the order of a resource's keys does not matter") {
  const Resource straight =
      read_one(R"({"type":"File","title":"/a","tags":["x"],"file":"f","line":3,"exported":true,)"
               R"("parameters":{"a":"1","b":"2"},"sensitive_parameters":["b"]})");
  const Resource reversed =
      read_one(R"({"sensitive_parameters":["b"],"parameters":{"a":"1","b":"2"},"exported":true,)"
               R"("line":3,"file":"f","tags":["x"],"title":"/a","type":"File"})");
  CHECK(straight == reversed);
  CHECK(straight.parameters == std::vector<Parameter>{{"a", {"1"}}});
}

TEST_CASE("a resource is exported only if it says so") {
  CHECK_FALSE(read_one(R"({"type":"File","title":"x"})").exported);
  CHECK_FALSE(read_one(R"({"type":"File","title":"x","exported":null})").exported);
  CHECK_FALSE(read_one(R"({"type":"File","title":"x","exported":false})").exported);
  CHECK(read_one(R"({"type":"File","title":"x","exported":true})").exported);
}

TEST_CASE("a line is an integer or left out") {
  const auto line = [](const std::string& text) {
    return read_one(R"({"type":"File","title":"x","line":)" + text + "}").line;
  };
  CHECK(line("12") == 12);
  CHECK_FALSE(line("null").has_value());
  CHECK_FALSE(line("1.5").has_value());
  CHECK_FALSE(line("\"12\"").has_value());
  CHECK_FALSE(line("99999999999999999999").has_value());
  CHECK_FALSE(read_one(R"({"type":"File","title":"x"})").line.has_value());
}

TEST_CASE("an empty file name is kept, a missing one is missing") {
  CHECK(read_one(R"({"type":"File","title":"x","file":""})").file == "");
  CHECK(read_one(R"({"type":"File","title":"x","file":"/s.pp"})").file == "/s.pp");
  CHECK_FALSE(read_one(R"({"type":"File","title":"x","file":null})").file.has_value());
  CHECK_FALSE(read_one(R"({"type":"File","title":"x"})").file.has_value());
}

TEST_CASE("tags are lower case and each is there once") {
  CHECK(sorted_tags(R"({"type":"File","title":"/x","tags":["Web","web","WEB","file"]})") ==
        Rows{"file", "web"});
}

TEST_CASE("type, title and the segments of qualified tags are tags") {
  CHECK(sorted_tags(R"({"type":"Apache::Vhost","title":"www.example.test"})") ==
        Rows{"apache", "apache::vhost", "vhost", "www.example.test"});
  CHECK(sorted_tags(R"({"type":"File","title":"/x","tags":["a::b::c"]})") ==
        Rows{"a", "a::b::c", "b", "c", "file"});
  CHECK(sorted_tags(R"({"type":"Class","title":"Ntp::Server"})") ==
        Rows{"class", "ntp", "ntp::server", "server"});
}

TEST_CASE("a title that is no valid tag adds none") {
  CHECK(sorted_tags(R"({"type":"Exec","title":"two words"})") == Rows{"exec"});
  CHECK(sorted_tags(R"({"type":"Exec","title":"-x"})") == Rows{"exec"});
  CHECK(sorted_tags(R"({"type":"Exec","title":"caf\u00e9"})") == Rows{"exec"});
  CHECK(sorted_tags(R"({"type":"Exec","title":"x\ny"})") == Rows{"exec"});
}

TEST_CASE("an invalid tag is left out with a warning and the resource is kept") {
  const Catalog catalog =
      read(message(R"({"type":"Notify","title":"n","tags":["ok","not valid!","caf\u00e9","",7]})"));
  CHECK(catalog.resources.front().tags == Rows{"ok", "café", "7", "notify", "n"});
  REQUIRE(catalog.warnings.size() == 2);
  CHECK(catalog.warnings.front() ==
        "Notify[n]: the tag \"not valid!\" is not valid and was left out");
}

TEST_CASE("a long list of tags is made unique too") {
  std::string tags;
  for (int i = 0; i < 500; ++i)
    tags += "\"t" + std::to_string(i % 100) + "\",";
  CHECK(sorted_tags(R"({"type":"File","title":"/x","tags":[)" + tags + "\"t0\"]}").size() == 101);
}

TEST_CASE("of two resources of one type and title the last counts, with a warning") {
  const Catalog catalog = read(message(resource(R"(,"parameters":{"p":"old"})") + "," +
                                       R"({"type":"File","title":"/b"},)" +
                                       R"({"type":"file","title":"/a","parameters":{"p":"new"}})"));
  REQUIRE(catalog.resources.size() == 2);
  CHECK(catalog.resources[0].title == "/b");
  CHECK(values_of(catalog.resources[1], "p") == Rows{"new"});
  CHECK(catalog.warnings == Rows{"File[/a] is there twice: the last one counts"});
}

TEST_CASE("of equal keys the last counts") {
  const Resource read = read_one(
      R"({"type":"Exec","type":"File","title":"/x","title":"/y","tags":["a"],"tags":["b"],)"
      R"("parameters":{"lost":1},"parameters":{"p":"1","q":"2","p":"3","q":null}})");
  CHECK(read.type == "File");
  CHECK(read.title == "/y");
  CHECK(read.tags == Rows{"b", "file"});
  CHECK(read.parameters == std::vector<Parameter>{{"p", {"3"}}});
}

TEST_CASE("of equal keys the last counts in a long list of parameters too") {
  std::string list;
  for (int i = 0; i < 100; ++i) {
    list += "\"p" + std::to_string(i % 50) + "\":" + std::to_string(i) + ",";
  }
  const Resource read = read_one(resource(R"(,"parameters":{)" + list + "\"z\":1}"));
  CHECK(read.parameters.size() == 51);
  CHECK(values_of(read, "p0") == Rows{"50"});
}

TEST_CASE("sensitive parameters are not stored unless asked for") {
  const std::string text = resource(
      R"(,"parameters":{"content":"s3cret","mode":"0600"},"sensitive_parameters":["content",1])");
  CHECK(read_one(text).parameters == std::vector<Parameter>{{"mode", {"0600"}}});
  ReadOptions options;
  options.store_sensitive = true;
  CHECK(values_of(read_one(text, options), "content") == Rows{"s3cret"});
}

TEST_CASE("parameters that are no object are left out with a warning") {
  const Catalog catalog = read(message(resource(R"(,"parameters":["a"])")));
  CHECK(catalog.resources.front().parameters.empty());
  CHECK(catalog.warnings == Rows{"File[/a]: the parameters are no object and were left out"});
  CHECK(read(message(resource(R"(,"parameters":null)"))).warnings.empty());
}

TEST_CASE("a NUL in a name becomes the replacement character, with a warning") {
  const Catalog catalog = read(message(R"({"type":"File","title":"a\u0000b","file":"\u0000"})"));
  CHECK(catalog.resources.front().title ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(catalog.warnings == Rows{"2 strings used as a name with a NUL, replaced by U+FFFD"});
}

}  // namespace stompbox::catalog::reading::test

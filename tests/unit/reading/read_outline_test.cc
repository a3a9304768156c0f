#include "storage/catalog/reading/read_outline.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <string_view>

namespace stompbox::catalog::reading {
namespace {

constexpr const char* kMessage =
    R"({"document_type":"Catalog","data":{"tags":["a]\""],"name":"web1","environment":"prod",)"
    R"("resources":[{"type":"File","title":"/a\\","parameters":{"x":[1,{"y":"}"}]}}],)"
    R"("edges":[{"source":"{[","target":"]}"}],"version":1.5e3},"metadata":{"name":"not me"}})";

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return std::move(text).str();
}

void check_agrees(const std::string& text) {
  const auto outline = read_outline(text, {});
  if (!outline) return;
  const auto whole = read_catalog(text, {});
  REQUIRE(whole.has_value());
  CHECK(outline->node == whole->node);
  CHECK(outline->environment == whole->environment);
  CHECK(outline->digest == whole->digest);
}

TEST_CASE("an outline has node, environment and digest of the whole") {
  REQUIRE(read_outline(kMessage, {}));
  CHECK(read_outline(kMessage, {})->node == "web1");
  check_agrees(kMessage);
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(STOMPBOX_TEST_DATA "/samples")) {
    const std::string name = entry.path().filename();
    if (name.find("catalog") == std::string::npos) continue;
    check_agrees(text_of(entry.path()));
    if (read_outline(text_of(entry.path()), {})) ++found;
  }
  CHECK(found >= 3);
}

TEST_CASE("a message that is cut anywhere has no outline") {
  const std::string message = kMessage;
  for (std::size_t size = 0; size < message.size(); ++size)
    CHECK_FALSE(read_outline(message.substr(0, size), {}));
}

TEST_CASE("the resources change the digest, and what follows them does not") {
  const std::string message = kMessage;
  const auto digest_with = [&message](const std::string& from, const std::string& to) {
    std::string changed = message;
    changed.replace(changed.find(from), from.size(), to);
    check_agrees(changed);
    return read_outline(changed, {})->digest;
  };
  const std::string digest = read_outline(message, {})->digest;
  CHECK(digest_with("1.5e3", "1700") == digest);
  CHECK(digest_with("\"source\"", "\"sauce\"") == digest);
  CHECK(digest_with("/a", "/b") != digest);
  CHECK(digest_with("web1", "web2") != digest);
  CHECK(digest_with("prod", "test") != digest);
  ReadOptions options;
  options.store_sensitive = true;
  CHECK(read_outline(message, options)->digest != digest);
}

TEST_CASE("what a closer look might read in another way has no outline") {
  const auto refused = [](const std::string& text) { return !read_outline(text, {}); };
  CHECK(refused(R"({"name":"a","resources":"[]"})"));     // 0.25.0
  CHECK(refused(R"({"name":"\u0061","resources":[]})"));  // an escape in the name
  CHECK(refused(R"({"n\u0061me":"a","resources":[]})"));  // or in a key
  CHECK(refused("{\"name\":\"\xC3\xBC\",\"resources\":[]}"));
  CHECK(refused(R"({"name":7,"resources":[]})"));
  CHECK(refused(R"({"name":"","resources":[]})"));
  CHECK(refused(R"({"resources":[]})"));
  CHECK(refused(R"({"name":"a"})"));
  CHECK(refused(R"({"name":"a","values":{},"resources":[]})"));  // facts
  CHECK(refused(R"({"name":"a","resources":[}])"));
  CHECK(refused(R"({"name":"a","resources":[]} {})"));
  CHECK(refused(R"({"name":"a","resources":[],})"));
  CHECK(refused(R"(/* b */ {"name":"a","resources":[]})"));
  CHECK(refused(R"([{"name":"a","resources":[]}])"));
  CHECK(refused(R"({"data":{"name":"a","resources":[]},"data":{"name":"b","resources":[]}})"));
  CHECK(refused("{\"name\":\"a\",\"resources\":" + std::string(80, '[') + std::string(80, ']') +
                "}"));
  check_agrees(R"({"name":"b","data":{"name":"a","resources":[],"name":"c","resources":[]}})");
  CHECK(read_outline(R"({"name":"a","environment":null,"resources":[]})", {})->environment.empty());
}

TEST_CASE("a comment leaves no outline, wherever it stands and whatever it hides") {
  const auto refused = [](const std::string& text) { return !read_outline(text, {}); };
  CHECK(refused(R"({"name":"a","x":[ /* ], "name":"evil", "y":[ */ ],"resources":[]})"));
  CHECK(refused("{\"name\":\"a\",\"x\":[ // ],\"name\":\"evil\"\n],\"resources\":[]}"));
  CHECK(refused(R"({"name":"a","x":1/*,"name":"evil","y":2*/,"resources":[]})"));
  CHECK(refused(R"({"name":"a","resources":[/* "] */]})"));
  CHECK(refused(R"({"name":"a"/**/,"resources":[]})"));
  CHECK(refused(R"({"name":"a","resources":[]}/**/)"));
  CHECK(read_outline(R"({"name":"a","x":["/* ] */"],"resources":[]})", {})->node == "a");
}

TEST_CASE("what is no JSON between the values has no outline") {
  const auto refused = [](const std::string& value) {
    const std::string end = R"(,"resources":[]})";
    return !read_outline(R"({"name":"a","x":)" + value + end, {}) &&
           !read_outline(R"({"name":"a","x":[)" + value + "]" + end, {});
  };
  CHECK(refused("NaN"));
  CHECK(refused("'b'"));
  CHECK(
      refused("\xEF\xBB\xBF"
              "1"));
  CHECK(refused(std::string("1\0", 2)));
  CHECK_FALSE(refused("[-1.5E+3,true,false,null]"));
}

// Pieces that two readers may take in two ways, put into a message at random.
std::string mutated(std::string text, std::mt19937& random) {
  constexpr std::array<std::string_view, 22> kPieces = {"/*",
                                                        "*/",
                                                        "//",
                                                        "\n",
                                                        R"("name":"evil",)",
                                                        R"("name":"evil")",
                                                        "[",
                                                        "]",
                                                        "{",
                                                        "}",
                                                        "\"",
                                                        ",",
                                                        R"(\)",
                                                        R"(\")",
                                                        "NaN",
                                                        "1e99",
                                                        "null",
                                                        R"(\u0)",
                                                        R"("data":{)",
                                                        R"("resources":[)",
                                                        R"("x":[)",
                                                        R"("n\u0061me":"evil",)"};
  const auto below = [&random](std::size_t bound) { return random() % bound; };
  for (std::size_t left = 1 + below(4); left > 0; --left) {
    std::size_t at = below(text.size());
    if (below(4) != 0) at = std::min(text.find_first_of("[]{},", at), text.size() - 1) + 1;
    if (below(8) == 0) text.erase(at, below(4));
    text.insert(std::min(at, text.size()), kPieces[below(kPieces.size())]);
  }
  return text;
}

TEST_CASE("whatever is put into a message, its outline is that of the whole, or there is none") {
  const std::array<std::string, 2> messages = {
      R"({"name":"a","x":[ /* ], "name":"b", "y":[ */ ],"environment":"e","resources":[]})",
      R"({"data":{"name":"a","x":[1],"resources":[{"type":"T","title":"t"}],"y":[{}]},"z":[]})"};
  std::mt19937 random(20);  // NOLINT(cert-msc51-cpp): the same messages in every run
  std::size_t both = 0;
  for (int i = 0; i < 60'000; ++i) {
    const std::string text = mutated(messages[static_cast<std::size_t>(i) % 2], random);
    const auto outline = read_outline(text, {});
    const auto whole = read_catalog(text, {});
    if (!outline || !whole) continue;
    ++both;
    REQUIRE_MESSAGE(outline->node == whole->node, text);
    REQUIRE_MESSAGE(outline->environment == whole->environment, text);
  }
  CHECK(both > 100);
}

TEST_CASE("a number that is put aside counts in the digest") {
  const auto digest_of = [](const std::string& number) {
    const auto whole =
        read_catalog(R"({"name":"a","resources":[{"type":"T","title":"t","parameters":{"p":)" +
                         number + "}}]}//",
                     {});
    REQUIRE(whole.has_value());
    return whole->digest;
  };
  CHECK(digest_of("1e5") != digest_of("2e5"));
  CHECK(digest_of("1e5") == digest_of("1e5"));
}

TEST_CASE("the limits of bytes hold for outlines") {
  ReadOptions options;
  options.message_bytes_max = 20;
  CHECK_FALSE(read_outline(kMessage, options));
}

}  // namespace
}  // namespace stompbox::catalog::reading

#include "storage/catalog/reading/read_outline.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

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

TEST_CASE("the limits of bytes hold for outlines") {
  ReadOptions options;
  options.message_bytes_max = 20;
  CHECK_FALSE(read_outline(kMessage, options));
}

}  // namespace
}  // namespace stompbox::catalog::reading

#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/catalog.h"
#include "storage/catalog/reading/read_catalog.h"

// What the tests of the readers share: small messages, and the recorded ones.
namespace stompbox::catalog::reading::test {

using Rows = std::vector<std::string>;

inline std::string file(const std::string& name) {
  std::ifstream in(std::string(STOMPBOX_TEST_DATA) + "/" + name, std::ios::binary);
  REQUIRE_MESSAGE(in.good(), "no test data: ", name);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A catalog of 3.x of the node n1 with these resources, comma between.
inline std::string message(const std::string& resources) {
  return R"({"document_type":"Catalog","data":{"name":"n1","environment":"test","resources":[)" +
         resources + R"(],"edges":[],"classes":[]},"metadata":{"api_version":1}})";
}

inline std::string resource(const std::string& more) {
  return R"({"type":"File","title":"/a","tags":[],"exported":false)" + more + "}";
}

inline Catalog read(std::string_view body, const ReadOptions& options = {}) {
  auto catalog = read_catalog(body, options);
  REQUIRE_MESSAGE(catalog.has_value(), catalog.error().text);
  return std::move(*catalog);
}

inline storage::Error error_of(std::string_view body, const ReadOptions& options = {}) {
  const auto catalog = read_catalog(body, options);
  REQUIRE_FALSE(catalog.has_value());
  CHECK_FALSE(catalog.error().text.empty());
  CHECK(catalog.error().text.find('\n') == std::string::npos);
  return catalog.error();
}

inline Resource read_one(const std::string& resource, const ReadOptions& options = {}) {
  Catalog catalog = read(message(resource), options);
  REQUIRE(catalog.resources.size() == 1);
  return catalog.resources.front();
}

inline Rows values_of(const Resource& resource, std::string_view name) {
  for (const Parameter& parameter : resource.parameters) {
    if (parameter.name == name) return parameter.values;
  }
  return {};
}

// The stored rows of a parameter whose value is this PSON text; none if it is left out.
inline Rows rows(const std::string& value, const ReadOptions& options = {}) {
  return values_of(read_one(resource(R"(,"parameters":{"v":)" + value + "}"), options), "v");
}

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// The bodies of the SENDs to a destination in a recorded connection.
inline std::vector<std::string> sent_bodies(const std::string& capture,
                                            const std::string& destination) {
  const std::string bytes = file("captures/" + capture);
  const std::string length_key = "\ncontent-length:";
  std::vector<std::string> bodies;
  for (std::size_t at = bytes.find("SEND\n"); at != std::string::npos;
       at = bytes.find("SEND\n", at)) {
    const std::size_t body = bytes.find("\n\n", at) + 2;
    const std::string head = bytes.substr(at, body - at);
    const std::size_t length = std::stoul(head.substr(head.find(length_key) + length_key.size()));
    if (contains(head, "\ndestination:" + destination + "\n")) {
      bodies.push_back(bytes.substr(body, length));
    }
    at = body + length;
  }
  return bodies;
}

}  // namespace stompbox::catalog::reading::test

#include <doctest/doctest.h>

#include "tests/unit/reading/read_support.h"

namespace stompbox::catalog::reading::test {
namespace {

NodeFacts facts(const std::string& body, const ReadOptions& options = {}) {
  auto read = read_facts(body, options);
  REQUIRE_MESSAGE(read.has_value(), read.error().text);
  return std::move(*read);
}

Rows fact(const NodeFacts& facts, const std::string& name) {
  for (const Fact& fact : facts.facts) {
    if (fact.name == name) return fact.values;
  }
  return {};
}

// The stored rows of one fact with this PSON text as value.
Rows fact_rows(const std::string& value) {
  return fact(facts(R"({"name":"n","values":{"f":)" + value + "}}"), "f");
}

std::string facts_error(const std::string& body) {
  const auto read = read_facts(body, {});
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == storage::ErrorCode::kInvalid);
  return read.error().text;
}

}  // namespace

TEST_CASE("facts have a node, values and a time") {
  const NodeFacts read =
      facts(R"({"expiration":"E","timestamp":"T","values":{"a":"1","b":"2"},"name":"n1"})");
  CHECK(read.node == "n1");
  CHECK(read.timestamp == "T");
  REQUIRE(read.facts.size() == 2);
  CHECK(read.facts[0].name == "a");
  CHECK(read.facts[0].values == Rows{"1"});
  CHECK(read.warnings.empty());
}

TEST_CASE("the envelope of facts is optional") {
  const NodeFacts read =
      facts(R"({"document_type":"Facts","data":{"name":"n1","values":{"a":"1"}},"metadata":{}})");
  CHECK(read.node == "n1");
  CHECK(fact(read, "a") == Rows{"1"});
}

TEST_CASE("fact values are text") {
  CHECK(fact_rows(R"("x")") == Rows{"x"});
  CHECK(fact_rows(R"("")") == Rows{""});
  CHECK(fact_rows("true") == Rows{"true"});
  CHECK(fact_rows("false") == Rows{"false"});
  CHECK(fact_rows("8345391104") == Rows{"8345391104"});
  CHECK(fact_rows("0.110") == Rows{"0.11"});
  CHECK(fact_rows("null").empty());
}

TEST_CASE("structured facts are rows and flow values") {
  CHECK(fact_rows(R"(["a","b"])") == Rows{"a", "b"});
  CHECK(fact_rows(R"({"1m":0.11,"n":{"x":[1]}})") == Rows{R"(--- {"1m": 0.11, "n": {"x": [1]}})"});
  CHECK(fact_rows("[]").empty());
}

TEST_CASE("a fact's text is never quoted: nobody looks into it") {
  CHECK(fact_rows(R"("--- x")") == Rows{"--- x"});
  CHECK(fact_rows(R"("a\u0000b")") == Rows{"a\uFFFD"
                                           "b"});
}

TEST_CASE("names with an underscore are left out, the time among them is the time") {
  const NodeFacts read =
      facts(R"({"name":"n","values":{"_timestamp":"T1","_x":"y",":_timestamp":"T2","a":"b"}})");
  CHECK(read.facts.size() == 1);
  CHECK(read.timestamp == "T2");
  CHECK(facts(R"({"timestamp":"T","name":"n","values":{"_timestamp":"no"}})").timestamp == "T");
}

TEST_CASE("of equal facts the last counts") {
  const NodeFacts read = facts(R"({"name":"n","values":{"a":"1","b":"2","a":"3","b":null}})");
  REQUIRE(read.facts.size() == 1);
  CHECK(fact(read, "a") == Rows{"3"});
}

TEST_CASE("facts that are not UTF-8 go by the policy") {
  const NodeFacts read = facts("{\"name\":\"n\",\"values\":{\"a\":\"K\xF6ln\"}}");
  CHECK(fact(read, "a") == Rows{"Köln"});
  CHECK(read.warnings == Rows{"1 string not UTF-8, taken for Latin-1"});
}

TEST_CASE("what are no facts is refused with a reason") {
  CHECK(contains(facts_error(message("")), "this is a catalog, not facts"));
  CHECK(facts_error(R"({"values":{"a":"b"}})") == "the facts have no name");
  CHECK(facts_error(R"({"name":null,"values":{}})") == "the facts have no name");
  CHECK(facts_error(R"({"name":"n"})") == "the facts have no values");
  CHECK(facts_error(R"({"name":"n","values":[]})") == "the facts have no values");
  CHECK(contains(facts_error("[]"), "a list, not facts"));
  CHECK(contains(facts_error("--- !ruby/object:Puppet::Node::Facts"), "YAML"));
  CHECK(contains(facts_error(R"({"name":"n","values":{"a":})"), "not PSON"));
  CHECK(contains(facts_error(R"({"name":"n","values":{}} x)"), "something follows"));
}

TEST_CASE("what PSON allows beyond JSON is read in facts too") {
  CHECK(fact_rows(R"(/* c */ "\q")") == Rows{"q"});
  CHECK(fact_rows("[1e999]") == Rows{"1e999"});
}

TEST_CASE("facts beyond a limit are too large") {
  ReadOptions options;
  options.depth_max = 4;
  const std::string deep = R"({"name":"n","values":{"a":[[[1]]]}})";
  CHECK(read_facts(deep, options).error().code == storage::ErrorCode::kTooLarge);
  options = {};
  options.value_count_max = 5;
  CHECK(read_facts(deep, options).error().code == storage::ErrorCode::kTooLarge);
  options = {};
  options.message_bytes_max = 5;
  CHECK(read_facts(deep, options).error().code == storage::ErrorCode::kTooLarge);
}

}  // namespace stompbox::catalog::reading::test

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "tests/unit/reading/read_support.h"

// The samples, and the recorded messages against what Puppet itself stored of them.
namespace stompbox::catalog::reading::test {
namespace {

using Difference = std::pair<std::string, std::string>;  // resource, parameter
using Differences = std::map<Difference, Rows>;          // and the right rows

const Resource& find(const Catalog& catalog, const std::string& type, const std::string& title) {
  for (const Resource& resource : catalog.resources) {
    if (resource.type == type && resource.title == title) return resource;
  }
  FAIL("no resource ", type, "[", title, "]");
  return catalog.resources.front();
}

NodeFacts sample_facts(const std::string& name) {
  auto facts = read_facts(file("samples/" + name), {});
  REQUIRE_MESSAGE(facts.has_value(), facts.error().text);
  return std::move(*facts);
}

std::set<std::string> tag_set(const Resource& resource) {
  const std::set<std::string> tags(resource.tags.begin(), resource.tags.end());
  CHECK(tags.size() == resource.tags.size());
  return tags;
}

std::optional<std::string> optional_text(const rapidjson::Value& value) {
  if (value.IsNull()) return std::nullopt;
  return std::string(value.GetString(), value.GetStringLength());
}

Rows row_list(const rapidjson::Value& list) {
  Rows rows;
  for (const auto& row : list.GetArray())
    rows.emplace_back(row.GetString(), row.GetStringLength());
  return rows;
}

// Compares parameters, and takes note of those that differ from the golden file.
void compare_parameters(const std::string& name, const Resource& ours,
                        const rapidjson::Value& golden, Differences& differences) {
  std::map<std::string, Rows> left;
  for (const Parameter& parameter : ours.parameters)
    left[parameter.name] = parameter.values;
  CHECK(left.size() == ours.parameters.size());
  std::map<std::string, Rows> right;
  for (const auto& member : golden["params"].GetObject()) {
    right[member.name.GetString()] = row_list(member.value);
  }
  for (const auto& [key, rows] : right)
    CHECK_MESSAGE(left.contains(key), name, " ", key);
  for (const auto& [key, rows] : left) {
    CHECK_MESSAGE(right.contains(key), name, " ", key);
    if (right[key] != rows) differences[{name, key}] = rows;
  }
}

void compare_resource(const std::string& name, const Resource& ours, const rapidjson::Value& golden,
                      Differences& differences) {
  CAPTURE(name);
  CHECK(ours.exported == golden["exported"].GetBool());
  CHECK(ours.file == optional_text(golden["file"]));
  const auto line = optional_text(golden["line"]);
  CHECK((ours.line ? std::optional(std::to_string(*ours.line)) : std::nullopt) == line);
  const Rows tags = row_list(golden["tags"]);
  CHECK(tag_set(ours) == std::set<std::string>(tags.begin(), tags.end()));
  compare_parameters(name, ours, golden, differences);
}

std::string text_of(const Differences& differences) {
  std::string out;
  for (const auto& [place, rows] : differences) {
    out += place.first + " " + place.second + ":";
    for (const std::string& row : rows)
      out += " <" + row + ">";
    out += "\n";
  }
  return out;
}

// Reads all catalogs of a capture and holds them against the golden database. The parameters that
// differ come back with our rows.
Differences compare(const std::string& capture, const std::string& golden_name) {
  rapidjson::Document golden;
  golden.Parse(file("captures/" + golden_name).c_str());
  REQUIRE_FALSE(golden.HasParseError());
  Differences differences;
  const auto bodies = sent_bodies(capture, "/queue/catalog");
  REQUIRE_FALSE(bodies.empty());
  for (const std::string& body : bodies) {
    const Catalog catalog = read(body);
    CHECK(catalog.warnings.empty());
    CAPTURE(catalog.node);
    const auto& stored = golden["hosts"][catalog.node.c_str()]["resources"];
    CHECK(stored.MemberCount() == catalog.resources.size());
    for (const Resource& resource : catalog.resources) {
      std::string name = resource.type + "[" + resource.title + "]";
      // 0.25.5 itself wrote the main class as it came; every later version does as we do.
      if (!stored.HasMember(name.c_str()) && name == "Class[Main]") name = "Class[main]";
      REQUIRE_MESSAGE(stored.HasMember(name.c_str()), name);
      compare_resource(name, resource, stored[name.c_str()], differences);
    }
  }
  return differences;
}

// The same differences at each of the three recorded nodes.
Differences for_each_member(const std::map<std::string, Rows>& parameters) {
  Differences expected;
  for (const char* node : {"web01.example.com", "db02.example.com", "app03.stage.example.com"}) {
    const std::string name = "Cluster::Member[member " + std::string(node) + "]";
    for (const auto& [parameter, rows] : parameters)
      expected[{name, parameter}] = rows;
  }
  return expected;
}

}  // namespace

TEST_CASE("catalogs of 0.25.5 are read as it stored them, a line like YAML quoted") {
  const Differences expected = for_each_member({{"looks", {R"(--- "--- not yaml")"}}});
  CHECK(text_of(compare("catalog-0.25.5.bin", "golden-catalog-0.25.5.json")) == text_of(expected));
}

TEST_CASE("catalogs of 2.7.26 and 3.8.7 are read as they stored them, nested values better") {
  const Differences expected = for_each_member({
      {"list", {"one", "two", R"(--- ["three", "four"])"}},
      {"looks", {R"(--- "--- not yaml")"}},
      {"nested",
       {R"(--- {"ports": ["80", "443", ["8080", "8081"]], "opts": {"a": "b", "t": true}})"}},
  });
  CHECK(text_of(compare("catalog-2.7.26.bin", "golden-catalog-2.7.26.json")) == text_of(expected));
  CHECK(text_of(compare("catalog-3.8.7.bin", "golden-catalog-3.8.7.json")) == text_of(expected));
}

TEST_CASE("the second day's catalogs are read as 3.8.7 stored them, nested values in flow form") {
  const Differences expected = for_each_member({
      {"nested", {R"(--- {"ports": ["80", "443", ["8080", "8081"]], "opts": {"a": "c"}})"}},
  });
  CHECK(text_of(compare("catalog2-3.8.7.bin", "golden-catalog-then-catalog2-3.8.7.json")) ==
        text_of(expected));
}

TEST_CASE("the edge catalog differs from 3.8.7 where Puppet stores it wrongly, and there only") {
  const Differences expected = {
      {{"Edge::Box[hash in array]", "v"}, {R"(--- {"k": ["v1", "v2"]})", "tail"}},
      {{"Edge::Box[deep]", "v"}, {R"(--- {"a": {"b": {"c": ["1", "two", true]}}})"}},
      {{"Edge::Box[yaml start]", "w"}, {R"(--- "--- \n- a\n- b\n")"}},
  };
  CHECK(text_of(compare("edge-3.8.7.bin", "golden-edge-3.8.7.json")) == text_of(expected));
}

TEST_CASE("the environment is the message's own") {
  const auto bodies = sent_bodies("catalog-3.8.7.bin", "/queue/catalog");
  REQUIRE(bodies.size() == 3);
  CHECK(read(bodies[0]).environment == "production");
  CHECK(read(bodies[2]).environment == "staging");
  CHECK(read(sent_bodies("catalog-2.7.26.bin", "/queue/catalog")[0]).environment.empty());
}

TEST_CASE("recorded facts are read as the master stored them") {
  rapidjson::Document golden;
  golden.Parse(file("captures/golden-catalog-3.8.7.json").c_str());
  const auto bodies = sent_bodies("facts-3.8.7.bin", "/queue/facts");
  REQUIRE(bodies.size() == 6);
  for (const std::string& body : bodies) {
    const auto facts = read_facts(body, {});
    REQUIRE(facts.has_value());
    const auto& stored = golden["hosts"][facts->node.c_str()]["facts"];
    CHECK(stored.MemberCount() == facts->facts.size());
    for (const Fact& fact : facts->facts) {
      REQUIRE(stored.HasMember(fact.name.c_str()));
      CHECK(row_list(stored[fact.name.c_str()]) == fact.values);
    }
    CHECK(facts->timestamp.starts_with("20"));
  }
}

TEST_CASE("sample 01: the form of 0.25.0") {
  const Catalog catalog = read(file("samples/01-catalog-0.25.0.json"));
  CHECK(catalog.node == "old1.example.test");
  CHECK(catalog.resources.size() == 7);
  CHECK(catalog.warnings.empty());
  const Resource& conf = find(catalog, "File", "/etc/ntp.conf");
  CHECK(values_of(conf, "content") == Rows{"server 192.0.2.123\n"});
  CHECK(values_of(conf, "notify") == Rows{"Service[ntpd]", "Exec[ntp-resync]"});
  CHECK(values_of(find(catalog, "Service", "ntpd"), "enable") == Rows{"true"});
  CHECK(find(catalog, "Class", "Main").parameters.empty());
}

TEST_CASE("samples 02 and 03: ordinary catalogs") {
  const Catalog old = read(file("samples/02-catalog-2.7.pson"));
  CHECK(old.resources.size() == 10);
  CHECK(values_of(find(old, "File", "/etc/ntp.conf"), "backup") == Rows{"false"});
  const Catalog young = read(file("samples/03-catalog-3.8.pson"));
  CHECK(young.resources.size() == 8);
  CHECK(young.environment == "production");
  const Resource& ntp = find(young, "Class", "Ntp");
  CHECK(values_of(ntp, "servers") == Rows{"192.0.2.123"});
  CHECK(values_of(ntp, "tinker") == Rows{"0"});
  CHECK(values_of(ntp, "drift") == Rows{"1.5"});
  CHECK(values_of(find(young, "File", "/etc/ntp.conf"), "content") ==
        Rows{"# Zeitserver für Köln — 時刻\nserver 192.0.2.123\n"});
}

TEST_CASE("sample 04: exported resources") {
  const Catalog catalog = read(file("samples/04-catalog-3.8-exported.pson"));
  CHECK(std::count_if(catalog.resources.begin(), catalog.resources.end(),
                      [](const Resource& resource) { return resource.exported; }) == 5);
  const Resource& backend = find(catalog, "Webfarm::Backend", "web2");
  CHECK(values_of(backend, "weight") == Rows{"10"});
  CHECK(values_of(backend, "matrix") == Rows{R"(--- ["a", "b"])", "c"});
  CHECK(values_of(backend, "options") ==
        Rows{R"(--- {"check": "inter 2000", "ports": ["80", "443"], "tls": {"verify": "none"}, )"
             R"("conf": {"type": "File", "title": "/etc/haproxy/web2.cfg", "tags": ["file"], )"
             R"("exported": false}})"});
  CHECK(values_of(find(catalog, "File", "/etc/haproxy/fragments/web2"), "content") ==
        Rows{R"(--- "backend web2\n--- do not edit below ---\n  server web2 192.0.2.22:80\n")"});
  CHECK(values_of(find(catalog, "Nagios_host", "web2.example.test"), "notes") == Rows{"true"});
}

TEST_CASE("sample 05: bytes of Latin-1") {
  const Catalog catalog = read(file("samples/05-catalog-2.7-latin1-bytes.pson"));
  CHECK(values_of(find(catalog, "File", "/etc/motd"), "content") ==
        Rows{"Willkommen in Köln, grüßen Sie Herrn Müller\n"});
  CHECK(values_of(find(catalog, "Host", "koeln1"), "comment") == Rows{"Büro"});
  CHECK(catalog.warnings == Rows{"2 strings not UTF-8, taken for Latin-1"});
}

TEST_CASE("sample 06: rich data of a modern plugin") {
  const Catalog catalog = read(file("samples/06-catalog-8-plugin.json"));
  CHECK(catalog.resources.size() == 7);
  CHECK(find(catalog, "Class", "Db").parameters.empty());
  const Resource& pass = find(catalog, "File", "/etc/db/pass");
  CHECK(values_of(pass, "content").empty());
  CHECK(values_of(pass, "mode") == Rows{"0600"});
  const Resource& tuning = find(catalog, "Db::Tuning", "main");
  CHECK(values_of(tuning, "limits") ==
        Rows{R"(--- {"1": "low", "10": "high", "default": "other"})"});
  CHECK(values_of(tuning, "match") == Rows{"^db\\d+$"});
  CHECK(values_of(tuning, "since") == Rows{"2024-01-01T00:00:00.000000000 UTC"});
  CHECK(values_of(tuning, "blob") == Rows{"AAECAw=="});
  CHECK(values_of(tuning, "count") == Rows{"3"});
  CHECK(values_of(tuning, "on") == Rows{"true"});
  CHECK(values_of(tuning, "off").empty());
  ReadOptions options;
  options.store_sensitive = true;
  const Catalog clear = read(file("samples/06-catalog-8-plugin.json"), options);
  CHECK(values_of(find(clear, "Class", "Db"), "password") == Rows{"not-a-real-secret"});
  CHECK(values_of(find(clear, "File", "/etc/db/pass"), "content") == Rows{"not-a-real-secret"});
}

TEST_CASE("samples 07 and 08: facts") {
  const NodeFacts old = sample_facts("07-facts-2.7.pson");
  CHECK(old.node == "web1.example.test");
  CHECK(old.timestamp == "Mon Dec 12 12:00:00 +0000 2011");
  CHECK(old.facts.size() == 19);
  const NodeFacts young = sample_facts("08-facts-8-plugin.json");
  CHECK(young.timestamp == "2024-06-10T08:00:00.123456789+00:00");
  CHECK(young.facts.size() == 9);
  for (const Fact& fact : young.facts) {
    if (fact.name == "is_virtual") CHECK(fact.values == Rows{"true"});
    if (fact.name == "load_averages") {
      CHECK(fact.values == Rows{R"(--- {"1m": 0.11, "5m": 0.2, "15m": 0.05})"});
    }
  }
}

TEST_CASE("sample 09: a cut catalog is refused with the place") {
  const std::string body = file("samples/09-poison-truncated.pson");
  CHECK(error_of(body).text == "not PSON: the text ends too early, after " +
                                   std::to_string(body.size()) + " bytes, inside a string");
}

TEST_CASE("sample 10: a catalog that Puppet throws away is stored as far as it is well defined") {
  const Catalog catalog = read(file("samples/10-poison-semantic.pson"));
  CHECK(catalog.resources.size() == 9);
  const Resource& bad = find(catalog, "Notify", "bad");
  CHECK(bad.tags == Rows{"notify", "bad"});
  CHECK(bad.parameters.empty());
  CHECK(catalog.warnings ==
        Rows{"Notify[bad]: the tag \"not a valid tag!\" is not valid and was left out",
             "Service[ntpd] is there twice: the last one counts"});
}

TEST_CASE("a facts body is no catalog and a catalog is no facts body") {
  CHECK(contains(error_of(file("samples/07-facts-2.7.pson")).text, "these are facts"));
  const auto facts = read_facts(file("samples/03-catalog-3.8.pson"), {});
  REQUIRE_FALSE(facts.has_value());
  CHECK(contains(facts.error().text, "this is a catalog"));
}

}  // namespace stompbox::catalog::reading::test

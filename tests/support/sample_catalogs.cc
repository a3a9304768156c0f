#include "tests/support/sample_catalogs.h"

#include <array>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

namespace stompbox::support {
namespace {

using catalog::Catalog;
using catalog::NodeFacts;
using catalog::Parameter;
using catalog::Resource;

constexpr std::array<std::string_view, 16> kModules = {
    "ntp",   "ssh",   "sudo",    "rsyslog", "apt",    "postfix", "cron",   "sysctl",
    "nginx", "mysql", "haproxy", "java",    "nagios", "munin",   "backup", "firewall"};

struct Kind {
  std::string_view type;
  std::array<std::string_view, 4> parameters;
};

constexpr std::array<Kind, 8> kKinds = {{
    {"File", {"mode", "owner", "group", "backup"}},
    {"File", {"mode", "owner", "group", "backup"}},
    {"File", {"mode", "owner", "group", "backup"}},
    {"File", {"mode", "owner", "group", "backup"}},
    {"Package", {"provider", "category", "platform", "flavor"}},
    {"Exec", {"path", "unless", "timeout", "user"}},
    {"Concat::Fragment", {"target", "order", "owner", "group"}},
    {"Service", {"provider", "enable", "hasstatus", "hasrestart"}},
}};

std::string text_of(std::mt19937& random, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) {
    text += static_cast<char>('a' + random() % 26);
    if (random() % 7 == 0) text += random() % 5 == 0 ? '\n' : ' ';
  }
  return text;
}

Resource sample_resource(std::mt19937& random, const std::string& owner, std::size_t index) {
  const Kind& kind = kKinds[random() % kKinds.size()];
  const std::string module(kModules[index % kModules.size()]);
  Resource resource;
  const bool monitored = index % 40 == 39;
  resource.type = monitored ? "Nagios_service" : std::string(kind.type);
  resource.title = "/etc/" + module + "/" + owner + "/" + std::to_string(index) + ".conf";
  if (monitored) resource.title = "check_" + std::to_string(index) + "_" + owner;
  resource.exported = monitored;
  resource.line = 1 + static_cast<std::int64_t>(random() % 300);
  resource.file = "/etc/puppet/modules/" + module + "/manifests/init.pp";
  resource.parameters.push_back({"ensure", {"present"}});
  resource.parameters.push_back({"content", {text_of(random, 120 + random() % 240)}});
  for (std::string_view name : kind.parameters) {
    resource.parameters.push_back({std::string(name), {text_of(random, 4 + random() % 8)}});
  }
  if (index % 10 == 0) resource.parameters.push_back({"require", {"Class[A]", "Class[B]"}});
  resource.tags = {module,
                   "class",
                   "node",
                   "default",
                   "base",
                   "role_" + owner,
                   "profile_" + module,
                   monitored ? "nagios_service" : "m" + module};
  return resource;
}

}  // namespace

std::string sample_node(std::size_t node) {
  const std::string digits = std::to_string(node);
  return "node" + std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits +
         ".site.example";
}

Catalog sample_catalog(std::size_t node, const SampleShape& shape) {
  Catalog catalog;
  catalog.node = sample_node(node);
  catalog.environment = "production";
  for (std::size_t i = 0; i < shape.resource_count; ++i) {
    const bool shared = i % 100 < shape.shared_percent && i % 40 != 39;
    std::seed_seq seed{std::uint32_t{17}, static_cast<std::uint32_t>(i),
                       shared ? std::uint32_t{0} : static_cast<std::uint32_t>(node + 1)};
    std::mt19937 random(seed);
    const std::string owner = shared ? "all" : "n" + std::to_string(node);
    catalog.resources.push_back(sample_resource(random, owner, i));
    if ((i * 37 + node) % 100 < shape.changed_percent) {
      catalog.resources.back().parameters[1].values[0] +=
          " generation " + std::to_string(shape.generation);
    }
  }
  catalog.digest = "digest " + std::to_string(node) + "/" + std::to_string(shape.generation) + "/" +
                   std::to_string(shape.changed_percent) + "/" +
                   std::to_string(shape.resource_count);
  return catalog;
}

NodeFacts sample_facts(std::size_t node, std::size_t count) {
  NodeFacts facts;
  facts.node = sample_node(node);
  facts.facts.push_back(
      {"ipaddress", {"10.1." + std::to_string(node / 250) + "." + std::to_string(node % 250)}});
  for (std::size_t i = 1; i < count; ++i) {
    facts.facts.push_back({"fact_" + std::to_string(i),
                           {"value " + std::to_string(i) + " of " + std::to_string(node)}});
  }
  return facts;
}

}  // namespace stompbox::support

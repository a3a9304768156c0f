#include "broker/access/rules_file.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include <toml++/toml.h>

#include "broker/access/mistakes.h"
#include "broker/access/text_file.h"
#include "broker/access/users.h"
#include "broker/routing/selector.h"

namespace stompbox::access {
namespace {

using routing::DestinationKind;
using storage::Error;
using storage::ErrorCode;

// In the order of Operation.
constexpr std::array<std::string_view, kOperationCount> kOperations = {"read", "write", "create",
                                                                       "browse", "manage"};
constexpr std::uint8_t kEveryOperation = (1U << kOperationCount) - 1;

constexpr std::string_view kKeys =
    "allow, deny, destination, users, groups, certificates, headers, selector";

struct Prefix {
  std::string_view text;
  DestinationKind kind;
};
constexpr std::array kPrefixes = {
    Prefix{"/queue/", DestinationKind::kQueue},
    Prefix{"/topic/", DestinationKind::kTopic},
    Prefix{"/dsub/", DestinationKind::kDurable},
    Prefix{"/temp-queue/", DestinationKind::kTempQueue},
    Prefix{"/temp-topic/", DestinationKind::kTempTopic},
    Prefix{"/remote-temp-queue/", DestinationKind::kRemoteTempQueue},
    Prefix{"/remote-temp-topic/", DestinationKind::kRemoteTempTopic},
};

struct Text {
  std::string text;
  toml::source_region where;
};

// A text, or a list of texts; what is neither is a mistake.
std::vector<Text> texts_of(std::string_view key, const toml::node& node, Mistakes& mistakes) {
  std::vector<Text> texts;
  const auto add = [&](const toml::node& one) {
    if (const auto* text = one.as_string()) {
      texts.push_back({text->get(), one.source()});
    } else {
      mistakes.add(one.source().begin.line, std::string(key) + " takes a text or a list of texts");
    }
  };
  const toml::array* list = node.as_array();
  if (list == nullptr) {
    add(node);
    return texts;
  }
  if (list->empty()) {
    mistakes.add(node.source().begin.line,
                 std::string(key) + " is an empty list: leave it out, or name one");
  }
  for (const toml::node& one : *list)
    add(one);
  return texts;
}

void read_operations(Rule& rule, Effect effect, const toml::node& node, Mistakes& mistakes) {
  const std::string_view key = effect == Effect::kAllow ? "allow" : "deny";
  if (rule.operations != 0) {
    mistakes.add(node.source().begin.line, "a rule allows or denies, not both: make two of it");
  }
  rule.effect = effect;
  for (const Text& word : texts_of(key, node, mistakes)) {
    const auto* const found = std::find(kOperations.begin(), kOperations.end(), word.text);
    if (word.text == "all") {
      rule.operations = kEveryOperation;
    } else if (found != kOperations.end()) {
      rule.operations |= bit_of(static_cast<Operation>(found - kOperations.begin()));
    } else {
      mistakes.add(word.where.begin.line,
                   "there is no operation '" + word.text +
                       "': it is read, write, create, browse, manage or all");
    }
  }
}

void read_destination(Rule& rule, const Text& text, Mistakes& mistakes) {
  if (text.text == "all") {
    rule.destinations.emplace_back();
    return;
  }
  for (const Prefix& prefix : kPrefixes) {
    if (!text.text.starts_with(prefix.text)) continue;
    auto name = NameTemplate::parse(std::string_view(text.text).substr(prefix.text.size()));
    if (name) {
      rule.destinations.push_back({prefix.kind, std::move(*name)});
    } else {
      mistakes.add(text.where.begin.line,
                   "the destination " + text.text + ": " + name.error().text);
    }
    return;
  }
  mistakes.add(text.where.begin.line,
               "'" + text.text +
                   "' is no destination of a rule: it begins with /queue/, /topic/, "
                   "/dsub/, /temp-queue/, /temp-topic/, /remote-temp-queue/ or "
                   "/remote-temp-topic/, or is all");
}

void read_users(Rule& rule, const Text& text, Mistakes& mistakes) {
  if (text.text == "*") {
    rule.who.anyone = true;
  } else if (text.text == "+") {
    rule.who.authenticated = true;
  } else if (const std::string_view fault = fault_of_name(text.text); !fault.empty()) {
    mistakes.add(text.where.begin.line, std::string(fault));
  } else {
    rule.who.users.push_back(text.text);
  }
}

void read_group(Rule& rule, const Text& text, Mistakes& mistakes) {
  if (const std::string_view fault = fault_of_group(text.text); !fault.empty()) {
    mistakes.add(text.where.begin.line, std::string(fault));
    return;
  }
  rule.who.groups.push_back(text.text);
}

void read_certificate(Rule& rule, const Text& text, Mistakes& mistakes) {
  auto name = TextTemplate::parse(text.text);
  if (name) {
    rule.who.certificates.push_back(std::move(*name));
  } else {
    mistakes.add(text.where.begin.line,
                 "the certificate name " + text.text + ": " + name.error().text);
  }
}

void read_headers(Rule& rule, const toml::node& node, Mistakes& mistakes) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    mistakes.add(node.source().begin.line, "headers is written like { mc_identity = \"%u\" }");
    return;
  }
  for (const auto& [name, value] : *table) {
    const auto* text = value.as_string();
    auto wanted = text == nullptr
                      ? storage::Result<TextTemplate>(Error{ErrorCode::kInvalid, "it is no text"})
                      : TextTemplate::parse(text->get());
    if (wanted) {
      rule.headers.push_back({std::string(name.str()), std::move(*wanted)});
    } else {
      mistakes.add(name.source().begin.line, "the value of the header " + std::string(name.str()) +
                                                 ": " + wanted.error().text);
    }
  }
}

void read_selector(Rule& rule, const toml::node& node, Mistakes& mistakes) {
  constexpr std::string_view kForm =
      "selector is written like \"mc_identity = '%u'\": one header, one value in single quotes";
  const auto* text = node.as_string();
  const auto selector = text == nullptr ? storage::Result<std::shared_ptr<const routing::Selector>>(
                                              Error{ErrorCode::kInvalid, "it is no text"})
                                        : routing::Selector::parse(text->get());
  if (!selector || !(*selector)->equality()) {
    const std::string why = selector ? std::string() : " (" + selector.error().text + ")";
    mistakes.add(node.source().begin.line, std::string(kForm) + why);
    return;
  }
  auto value = TextTemplate::parse_exact((*selector)->equality()->value);
  if (!value) {
    mistakes.add(node.source().begin.line, "the value of the selector: " + value.error().text);
    return;
  }
  rule.selector = SelectorCondition{(*selector)->equality()->header, std::move(*value)};
}

void read_key(Rule& rule, const toml::key& key, const toml::node& node, Mistakes& mistakes) {
  const std::string_view name = key.str();
  const auto for_each = [&](void (*read)(Rule&, const Text&, Mistakes&)) {
    for (const Text& text : texts_of(name, node, mistakes))
      read(rule, text, mistakes);
  };
  if (name == "allow") return read_operations(rule, Effect::kAllow, node, mistakes);
  if (name == "deny") return read_operations(rule, Effect::kDeny, node, mistakes);
  if (name == "destination") return for_each(read_destination);
  if (name == "users") return for_each(read_users);
  if (name == "groups") return for_each(read_group);
  if (name == "certificates") return for_each(read_certificate);
  if (name == "headers") return read_headers(rule, node, mistakes);
  if (name == "selector") return read_selector(rule, node, mistakes);
  mistakes.add(key.source().begin.line,
               "a rule has no key '" + std::string(name) + "': it has " + std::string(kKeys));
}

// What no single key shows.
void check_whole(const Rule& rule, const toml::table& table, Mistakes& mistakes) {
  const auto lacks = [&table](std::string_view key) { return !table.contains(key); };
  if (lacks("allow") && lacks("deny")) {
    mistakes.add(table.source().begin.line, "a rule needs allow or deny, with the operations");
  }
  if (lacks("destination")) {
    mistakes.add(table.source().begin.line,
                 "a rule needs a destination, a list of them, or destination = \"all\"");
  }
  if (lacks("users") && lacks("groups") && lacks("certificates")) {
    mistakes.add(table.source().begin.line,
                 "a rule needs users, groups or certificates; users = \"*\" is anyone, \"+\" "
                 "anyone who logged in");
  }
  const std::uint8_t never_subscribes = bit_of(Operation::kWrite);
  if (rule.selector && rule.operations == never_subscribes) {
    mistakes.add(table.source().begin.line,
                 "a SEND has no selector, so that this rule would never match");
  }
}

void read_root(std::vector<Rule>& rules, const toml::table& root, Mistakes& mistakes) {
  for (const auto& [name, node] : root) {
    const toml::array* list = node.as_array();
    if (name.str() != "rule") {
      mistakes.add(name.source().begin.line, "there is no '" + std::string(name.str()) +
                                                 "' in a rules file: it is a list of [[rule]]");
      continue;
    }
    if (list == nullptr || !list->is_array_of_tables()) {
      mistakes.add(name.source().begin.line, "rule is a list: begin each with [[rule]]");
      continue;
    }
    for (const toml::node& one : *list) {
      const toml::table& table = *one.as_table();
      Rule& rule = rules.emplace_back();
      for (const auto& [key, value] : table)
        read_key(rule, key, value, mistakes);
      check_whole(rule, table, mistakes);
    }
  }
}

}  // namespace

storage::Result<Rules> parse_rules(std::string_view text, const std::string& source) {
  Mistakes mistakes(source);
  std::vector<Rule> rules;
  try {
    read_root(rules, toml::parse(text, source), mistakes);
  } catch (const toml::parse_error& error) {
    mistakes.add(error.source().begin.line, std::string(error.description()));
  }
  if (!mistakes.empty()) return Error{ErrorCode::kInvalid, mistakes.text()};
  return Rules(std::move(rules));
}

storage::Result<Rules> load_rules(const std::string& path) {
  const auto file = read_text_file(path, "the rules file");
  if (!file) return file.error();
  return parse_rules(file->text, path);
}

}  // namespace stompbox::access

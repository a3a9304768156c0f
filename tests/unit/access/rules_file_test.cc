#include "broker/access/rules_file.h"

#include <string>

#include <doctest/doctest.h>

namespace stompbox::access {
namespace {

std::string fault(const std::string& toml) {
  const auto rules = parse_rules(toml, "rules");
  return rules ? std::string() : rules.error().text;
}

// A right rule with one more line.
std::string rule_with(const std::string& line) {
  return "[[rule]]\nallow = \"read\"\ndestination = \"/queue/a\"\nusers = \"*\"\n" + line + "\n";
}

TEST_CASE("an empty file has no rules") {
  const auto rules = parse_rules("# nothing yet\n", "rules");
  REQUIRE(rules.has_value());
  CHECK(rules->count() == 0);
}

TEST_CASE("a mistake in a rule is named with its line and a remedy") {
  CHECK(fault(rule_with("destinatoin = \"x\"")) ==
        "rules:5: a rule has no key 'destinatoin': it has allow, deny, destination, users, groups, "
        "certificates, headers, selector");
  CHECK(fault("[[rule]]\nallow = \"reed\"\ndestination = \"/queue/a\"\nusers = \"*\"\n") ==
        "rules:2: there is no operation 'reed': it is read, write, create, browse, manage or all");
  CHECK(fault("[[rule]]\nallow = \"read\"\ndestination = \"queue/a\"\nusers = \"*\"\n")
            .starts_with("rules:3: 'queue/a' is no destination of a rule: it begins with /queue/"));
  CHECK(fault("[[rule]]\nallow = \"read\"\ndestination = \"/queue/>.a\"\nusers = \"*\"\n")
            .starts_with("rules:3: the destination /queue/>.a: > stands for the rest"));
  CHECK(fault("[[rule]]\nallow = \"read\"\ndestination = 3\nusers = \"*\"\n") ==
        "rules:3: destination takes a text or a list of texts");
  CHECK(fault("[[rule]]\nallow = \"read\"\ndestination = []\nusers = \"*\"\n") ==
        "rules:3: destination is an empty list: leave it out, or name one");
  CHECK(fault(rule_with("deny = \"read\"")) ==
        "rules:5: a rule allows or denies, not both: make two of it");
  CHECK(fault(rule_with("groups = \"a,b\""))
            .starts_with("rules:5: a group's name cannot have a colon or a comma"));
  CHECK(fault(rule_with("headers = \"x\"")).starts_with("rules:5: headers is written like {"));
  CHECK(fault(rule_with("headers = { x = \"%z\" }"))
            .starts_with("rules:5: the value of the header x: a percent sign is followed by u"));
  CHECK(fault(rule_with("certificates = \"%\""))
            .starts_with("rules:5: the certificate name %: a percent sign"));
}

TEST_CASE("a selector that is more than one equality is refused") {
  for (const char* selector : {"a = 'b' AND c = 'd'", "a > 'b'", "a", "a = ", ""}) {
    CAPTURE(selector);
    CHECK(fault(rule_with("selector = \"" + std::string(selector) + "\""))
              .starts_with("rules:5: selector is written like \"mc_identity = '%u'\""));
  }
  CHECK(fault(rule_with("selector = 3")).starts_with("rules:5: selector is written like"));
}

TEST_CASE("a rule that could never match is refused") {
  CHECK(fault("[[rule]]\nallow = \"write\"\ndestination = \"/queue/a\"\nusers = \"*\"\n"
              "selector = \"a = 'b'\"\n")
            .starts_with("rules:1: a SEND has no selector"));
}

TEST_CASE("a rule that lacks what it speaks of is refused with all that it lacks") {
  const std::string text = fault("\n[[rule]]\n");
  CHECK(text.find("rules:2: a rule needs allow or deny") != std::string::npos);
  CHECK(text.find("\nrules:2: a rule needs a destination") != std::string::npos);
  CHECK(text.find("\nrules:2: a rule needs users, groups or certificates") != std::string::npos);
}

TEST_CASE("all mistakes are told at once, in the order of the file") {
  const std::string text = fault(rule_with("x = 1") + rule_with("y = 1") + "[other]\nz = 1\n");
  CHECK(text.starts_with("rules:5: "));
  CHECK(text.find("\nrules:10: ") != std::string::npos);
  CHECK(text.find("\nrules:11: there is no 'other' in a rules file") != std::string::npos);
}

TEST_CASE("what is not TOML, or no list of rules, is refused with its line") {
  CHECK(fault("[[rule]]\nallow = \n").starts_with("rules:2: "));
  CHECK(fault("[rule]\nallow = \"read\"\n") == "rules:1: rule is a list: begin each with [[rule]]");
}

TEST_CASE("a rules file that is not there is said to be missing") {
  const auto rules = load_rules("/nowhere/rules");
  REQUIRE_FALSE(rules.has_value());
  CHECK(rules.error().code == storage::ErrorCode::kNotFound);
  CHECK(rules.error().text.starts_with("the rules file /nowhere/rules cannot be read"));
}

TEST_CASE("the rules that are shipped are right") {
  for (const char* name : {"mcollective.toml", "puppet.toml"}) {
    CAPTURE(name);
    const auto rules = load_rules(std::string(STOMPBOX_PACKAGING) + "/rules/" + name);
    REQUIRE_MESSAGE(rules.has_value(), (rules ? "" : rules.error().text));
    CHECK(rules->count() > 0);
  }
}

}  // namespace
}  // namespace stompbox::access

#include "broker/access/rules.h"

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "broker/access/rules_file.h"

namespace stompbox::access {
namespace {

using routing::DestinationKind;
using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct Peer {
  std::string user;
  std::vector<std::string> groups;
  std::string certificate;
  std::vector<std::string> names;
};

// The rules of a text, asked one question at a time.
class Judge {
 public:
  explicit Judge(const std::string& toml) {
    auto rules = parse_rules(toml, "rules");
    REQUIRE_MESSAGE(rules.has_value(), (rules ? "" : rules.error().text));
    rules_ = std::move(*rules);
  }

  [[nodiscard]] bool allows(const Peer& peer, Operation operation, DestinationKind kind,
                            const std::string& name, Naming naming = Naming::kOne,
                            const HeaderList& list = {}) const {
    const Principal principal{peer.user, peer.groups, peer.certificate, peer.names};
    protocol::Headers headers;
    for (const auto& [header, value] : list)
      headers.add(header, value);
    const routing::DestinationView view{kind, name, naming == Naming::kPattern};
    return rules_.judge(rules_.shortlist(principal, operation, view), principal, headers) ==
           Effect::kAllow;
  }
  [[nodiscard]] bool reads(const Peer& peer, const std::string& name,
                           const HeaderList& headers = {}) const {
    return allows(peer, Operation::kRead, DestinationKind::kQueue, name, Naming::kOne, headers);
  }
  [[nodiscard]] bool reads_pattern(const Peer& peer, const std::string& name) const {
    return allows(peer, Operation::kRead, DestinationKind::kQueue, name, Naming::kPattern);
  }
  [[nodiscard]] bool writes(const Peer& peer, const std::string& name,
                            const HeaderList& headers = {}) const {
    return allows(peer, Operation::kWrite, DestinationKind::kQueue, name, Naming::kOne, headers);
  }

 private:
  Rules rules_;
};

const Peer kNobody;
const Peer kBob{"bob", {"staff"}, "", {}};

TEST_CASE("no rule is a denial") {
  CHECK_FALSE(Judge("").reads(kBob, "a"));
}

TEST_CASE("the first rule that matches decides") {
  const Judge judge(R"(
[[rule]]
deny = "read"
destination = "/queue/a.secret"
users = "*"
[[rule]]
allow = "read"
destination = "/queue/a.>"
users = "*"
[[rule]]
deny = "all"
destination = "/queue/a.open"
users = "*"
)");
  CHECK_FALSE(judge.reads(kBob, "a.secret"));
  CHECK(judge.reads(kBob, "a.other"));
  CHECK(judge.reads(kBob, "a.open"));
  CHECK_FALSE(judge.reads(kBob, "b"));
}

TEST_CASE("a rule speaks of its operations and kinds of destinations only") {
  const Judge judge(R"(
[[rule]]
allow = ["read", "browse"]
destination = ["/queue/a", "/dsub/b", "/temp-queue/>"]
users = "*"
)");
  CHECK(judge.allows(kBob, Operation::kRead, DestinationKind::kQueue, "a"));
  CHECK(judge.allows(kBob, Operation::kBrowse, DestinationKind::kQueue, "a"));
  CHECK(judge.allows(kBob, Operation::kRead, DestinationKind::kDurable, "b"));
  CHECK(judge.allows(kBob, Operation::kRead, DestinationKind::kTempQueue, "x"));
  CHECK_FALSE(judge.allows(kBob, Operation::kWrite, DestinationKind::kQueue, "a"));
  CHECK_FALSE(judge.allows(kBob, Operation::kCreate, DestinationKind::kQueue, "a"));
  CHECK_FALSE(judge.allows(kBob, Operation::kManage, DestinationKind::kQueue, "a"));
  CHECK_FALSE(judge.allows(kBob, Operation::kRead, DestinationKind::kTopic, "a"));
  CHECK_FALSE(judge.allows(kBob, Operation::kRead, DestinationKind::kRemoteTempQueue, "x"));
}

TEST_CASE("all stands for every operation and every destination") {
  const Judge judge("[[rule]]\nallow = \"all\"\ndestination = \"all\"\nusers = \"bob\"\n");
  CHECK(judge.allows(kBob, Operation::kManage, DestinationKind::kRemoteTempTopic, "x.y"));
  CHECK(judge.reads_pattern(kBob, ">"));
  CHECK_FALSE(judge.reads(kNobody, "a"));
}

TEST_CASE("a rule speaks of users, groups, certificates, those who logged in, or anyone") {
  const Judge judge(R"(
[[rule]]
allow = "read"
destination = "/queue/users"
users = ["alice", "bob"]
[[rule]]
allow = "read"
destination = "/queue/groups"
groups = "staff"
[[rule]]
allow = "read"
destination = "/queue/certificates"
certificates = "*.nodes.example.com"
[[rule]]
allow = "read"
destination = "/queue/authenticated"
users = "+"
[[rule]]
allow = "read"
destination = "/queue/anyone"
users = "*"
)");
  const Peer node{"", {}, "n1.nodes.example.com", {"n1.nodes.example.com", "n1"}};
  const Peer other{"eve", {}, "", {}};
  CHECK(judge.reads(kBob, "users"));
  CHECK_FALSE(judge.reads(other, "users"));
  CHECK(judge.reads(kBob, "groups"));
  CHECK_FALSE(judge.reads(other, "groups"));
  CHECK(judge.reads(node, "certificates"));
  CHECK_FALSE(judge.reads(kBob, "certificates"));
  CHECK(judge.reads(other, "authenticated"));
  CHECK_FALSE(judge.reads(kNobody, "authenticated"));
  CHECK_FALSE(judge.reads(node, "authenticated"));
  CHECK(judge.reads(kNobody, "anyone"));
}

TEST_CASE("a wildcard subscription is allowed when a rule covers all of it") {
  const Judge judge(
      "[[rule]]\nallow = \"read\"\ndestination = \"/queue/a.*.agent\"\nusers = \"*\"\n");
  CHECK(judge.reads_pattern(kBob, "a.*.agent"));
  CHECK(judge.reads_pattern(kBob, "a.b*.agent"));
  CHECK_FALSE(judge.reads_pattern(kBob, "a.>"));
  CHECK_FALSE(judge.reads_pattern(kBob, ">"));
  CHECK_FALSE(judge.reads_pattern(kBob, "a.*.*"));
}

TEST_CASE("a wildcard subscription that could meet a denied name is denied") {
  const Judge judge(R"(
[[rule]]
deny = "read"
destination = "/queue/a.secret"
users = "*"
[[rule]]
allow = "read"
destination = "/queue/a.>"
users = "*"
)");
  CHECK_FALSE(judge.reads_pattern(kBob, "a.>"));
  CHECK_FALSE(judge.reads_pattern(kBob, "a.*"));
  CHECK_FALSE(judge.reads_pattern(kBob, "a.s*"));
  CHECK(judge.reads_pattern(kBob, "a.open.*"));
  CHECK(judge.reads_pattern(kBob, "a.o*"));
}

TEST_CASE("a user who is called like a pattern gets one name by it") {
  const Judge judge("[[rule]]\nallow = \"all\"\ndestination = \"/queue/home.%u\"\nusers = \"+\"\n");
  for (const char* name : {"a.>", "*", ">", "#", "**"}) {
    const Peer attacker{name, {}, "", {}};
    CAPTURE(name);
    CHECK(judge.reads(attacker, "home." + std::string(name)));
    CHECK_FALSE(judge.reads(attacker, "home.a.victim"));
    CHECK_FALSE(judge.reads(attacker, "home.victim"));
    CHECK_FALSE(judge.reads_pattern(attacker, "home." + std::string(name)));
    CHECK_FALSE(judge.reads_pattern(attacker, "home.>"));
  }
}

TEST_CASE("a header has to be there and to have the value") {
  const Judge judge(R"(
[[rule]]
allow = "write"
destination = "/queue/nodes"
users = "+"
headers = { mc_identity = "*.uk.example.com", mc_sender = "%u" }
)");
  CHECK(judge.writes(kBob, "nodes", {{"mc_identity", "a.uk.example.com"}, {"mc_sender", "bob"}}));
  CHECK_FALSE(judge.writes(kBob, "nodes"));
  CHECK_FALSE(judge.writes(kBob, "nodes", {{"mc_sender", "bob"}}));
  CHECK_FALSE(
      judge.writes(kBob, "nodes", {{"mc_identity", "a.fr.example.com"}, {"mc_sender", "bob"}}));
  CHECK_FALSE(
      judge.writes(kBob, "nodes", {{"mc_identity", "a.uk.example.com"}, {"mc_sender", "eve"}}));
}

TEST_CASE("every header of a name has to have the value, for readers may take any of them") {
  const Judge allows(
      "[[rule]]\nallow = \"write\"\ndestination = \"/queue/q\"\nusers = \"+\"\n"
      "headers = { from = \"%u\" }\n");
  CHECK(allows.writes(kBob, "q", {{"from", "bob"}, {"from", "bob"}}));
  CHECK_FALSE(allows.writes(kBob, "q", {{"from", "eve"}, {"from", "bob"}}));
  CHECK_FALSE(allows.writes(kBob, "q", {{"from", "bob"}, {"from", "eve"}}));
}

TEST_CASE("a rule that denies needs only one header of the name with the value") {
  const Judge denies(
      "[[rule]]\ndeny = \"write\"\ndestination = \"/queue/q\"\nusers = \"+\"\n"
      "headers = { kind = \"secret\" }\n"
      "[[rule]]\nallow = \"all\"\nusers = \"+\"\ndestination = \"/queue/q\"\n");
  CHECK(denies.writes(kBob, "q", {{"kind", "open"}}));
  CHECK_FALSE(denies.writes(kBob, "q", {{"kind", "secret"}}));
  CHECK_FALSE(denies.writes(kBob, "q", {{"kind", "open"}, {"kind", "secret"}}));
}

TEST_CASE("a header's value with a user's name in it is compared letter by letter") {
  const Judge judge(
      "[[rule]]\nallow = \"write\"\ndestination = \"/queue/q\"\nusers = \"+\"\n"
      "headers = { from = \"%u\" }\n");
  const Peer star{"*", {}, "", {}};
  CHECK(judge.writes(star, "q", {{"from", "*"}}));
  CHECK_FALSE(judge.writes(star, "q", {{"from", "victim"}}));
}

TEST_CASE("a rule whose conditions fail leaves the decision to the next") {
  const Judge judge(R"(
[[rule]]
deny = "write"
destination = "/queue/q"
users = "*"
headers = { priority = "9" }
[[rule]]
allow = "write"
destination = "/queue/q"
users = "*"
)");
  CHECK(judge.writes(kBob, "q"));
  CHECK(judge.writes(kBob, "q", {{"priority", "8"}}));
  CHECK_FALSE(judge.writes(kBob, "q", {{"priority", "9"}}));
}

TEST_CASE("a selector has to say what the rule says, and nothing more or less") {
  const Judge judge(R"(
[[rule]]
allow = "read"
destination = "/queue/nodes"
users = "+"
selector = "mc_identity = '%u'"
)");
  const Peer node{"n1.example.com", {}, "", {}};
  const auto with = [&judge, &node](const std::string& selector) {
    return judge.reads(node, "nodes", {{"selector", selector}});
  };
  CHECK(with("mc_identity = 'n1.example.com'"));
  CHECK(with("  mc_identity='n1.example.com' "));
  CHECK_FALSE(judge.reads(node, "nodes"));
  CHECK_FALSE(with(""));
  CHECK_FALSE(with("mc_identity = 'n2.example.com'"));
  CHECK_FALSE(with("mc_sender = 'n1.example.com'"));
  CHECK_FALSE(with("mc_identity = 'n1.example.com' OR 1 = 1"));
  CHECK_FALSE(with("mc_identity <> 'n1.example.com'"));
  CHECK_FALSE(with("mc_identity LIKE 'n1.example.com'"));
  CHECK_FALSE(with("not a selector"));
}

TEST_CASE("a selector with a quote in the user's name cannot be broken out of") {
  const Judge judge(
      "[[rule]]\nallow = \"read\"\ndestination = \"/queue/n\"\nusers = \"+\"\n"
      "selector = \"id = '%u'\"\n");
  const Peer quote{"x' OR '1' = '1", {}, "", {}};
  CHECK(judge.reads(quote, "n", {{"selector", "id = 'x'' OR ''1'' = ''1'"}}));
  CHECK_FALSE(judge.reads(quote, "n", {{"selector", "id = 'x' OR '1' = '1'"}}));
  const Peer star{"*", {}, "", {}};
  CHECK_FALSE(judge.reads(star, "n", {{"selector", "id = 'victim'"}}));
}

}  // namespace
}  // namespace stompbox::access

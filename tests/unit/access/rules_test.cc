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
constexpr const char* kAnyone = "users = \"*\"";
constexpr const char* kLoggedIn = "users = \"+\"";

// A rule for a queue; `more` are the lines that say for whom, and on what conditions.
std::string allow(const std::string& operation, const std::string& queue,
                  const std::string& more = kAnyone) {
  return "[[rule]]\nallow = \"" + operation + "\"\ndestination = \"/queue/" + queue + "\"\n" +
         more + "\n";
}
std::string deny(const std::string& operation, const std::string& queue,
                 const std::string& more = kAnyone) {
  return "[[rule]]\ndeny = \"" + operation + "\"\ndestination = \"/queue/" + queue + "\"\n" + more +
         "\n";
}

using Names = std::vector<std::string>;

void check_reads(const Judge& judge, const Peer& peer, const Names& allowed, const Names& denied) {
  CAPTURE(peer.user);
  for (const std::string& name : allowed)
    CHECK_MESSAGE(judge.reads(peer, name), name);
  for (const std::string& name : denied)
    CHECK_FALSE_MESSAGE(judge.reads(peer, name), name);
}

void check_patterns(const Judge& judge, const Peer& peer, const Names& allowed,
                    const Names& denied) {
  CAPTURE(peer.user);
  for (const std::string& pattern : allowed)
    CHECK_MESSAGE(judge.reads_pattern(peer, pattern), pattern);
  for (const std::string& pattern : denied)
    CHECK_FALSE_MESSAGE(judge.reads_pattern(peer, pattern), pattern);
}

TEST_CASE("no rule is a denial") {
  CHECK_FALSE(Judge("").reads(kBob, "a"));
}

TEST_CASE("the first rule that matches decides") {
  const Judge judge(deny("read", "a.secret") + allow("read", "a.>") + deny("all", "a.open"));
  check_reads(judge, kBob, {"a.other", "a.open"}, {"a.secret", "b"});
}

TEST_CASE("a rule speaks of its operations and kinds of destinations only") {
  const Judge judge(R"(
[[rule]]
allow = ["read", "browse"]
destination = ["/queue/a", "/dsub/b", "/temp-queue/>"]
users = "*"
)");
  struct Question {
    Operation operation;
    DestinationKind kind;
    const char* name;
    bool allowed;
  };
  using Kind = DestinationKind;
  for (const Question& one : {Question{Operation::kRead, Kind::kQueue, "a", true},
                              Question{Operation::kBrowse, Kind::kQueue, "a", true},
                              Question{Operation::kRead, Kind::kDurable, "b", true},
                              Question{Operation::kRead, Kind::kTempQueue, "x", true},
                              Question{Operation::kWrite, Kind::kQueue, "a", false},
                              Question{Operation::kCreate, Kind::kQueue, "a", false},
                              Question{Operation::kManage, Kind::kQueue, "a", false},
                              Question{Operation::kRead, Kind::kTopic, "a", false},
                              Question{Operation::kRead, Kind::kRemoteTempQueue, "x", false}}) {
    CAPTURE(static_cast<int>(one.operation));
    CAPTURE(static_cast<int>(one.kind));
    CHECK(judge.allows(kBob, one.operation, one.kind, one.name) == one.allowed);
  }
}

TEST_CASE("all stands for every operation and every destination") {
  const Judge judge("[[rule]]\nallow = \"all\"\ndestination = \"all\"\nusers = \"bob\"\n");
  CHECK(judge.allows(kBob, Operation::kManage, DestinationKind::kRemoteTempTopic, "x.y"));
  CHECK(judge.reads_pattern(kBob, ">"));
  CHECK_FALSE(judge.reads(kNobody, "a"));
}

TEST_CASE("a rule speaks of users, groups, certificates, those who logged in, or anyone") {
  const Judge judge(allow("read", "users", R"(users = ["alice", "bob"])") +
                    allow("read", "groups", R"(groups = "staff")") +
                    allow("read", "certificates", R"(certificates = "*.nodes.example.com")") +
                    allow("read", "authenticated", kLoggedIn) + allow("read", "anyone"));
  const Peer node{"", {}, "n1.nodes.example.com", {"n1.nodes.example.com", "n1"}};
  const Peer eve{"eve", {}, "", {}};
  check_reads(judge, kBob, {"users", "groups"}, {"certificates"});
  check_reads(judge, eve, {"authenticated"}, {"users", "groups"});
  check_reads(judge, node, {"certificates"}, {"authenticated"});
  check_reads(judge, kNobody, {"anyone"}, {"authenticated"});
}

TEST_CASE("a wildcard subscription is allowed when a rule covers all of it") {
  const Judge judge(allow("read", "a.*.agent"));
  check_patterns(judge, kBob, {"a.*.agent", "a.b*.agent"}, {"a.>", ">", "a.*.*"});
}

TEST_CASE("a wildcard subscription that could meet a denied name is denied") {
  const Judge judge(deny("read", "a.secret") + allow("read", "a.>"));
  check_patterns(judge, kBob, {"a.open.*", "a.o*"}, {"a.>", "a.*", "a.s*"});
}

TEST_CASE("a user who is called like a pattern gets one name by it") {
  const Judge judge(allow("all", "home.%u", kLoggedIn));
  for (const std::string name : {"a.>", "*", ">", "#", "**"}) {
    const Peer attacker{name, {}, "", {}};
    check_reads(judge, attacker, {"home." + name}, {"home.a.victim", "home.victim"});
    check_patterns(judge, attacker, {}, {"home." + name, "home.>"});
  }
}

// What bob sends to the queue, by its headers.
struct Sent {
  HeaderList headers;
  bool allowed;
};

void check_writes(const Judge& judge, const std::string& queue, const std::vector<Sent>& table) {
  for (std::size_t row = 0; row < table.size(); ++row) {
    CAPTURE(row);
    CHECK(judge.writes(kBob, queue, table[row].headers) == table[row].allowed);
  }
}

TEST_CASE("a header has to be there and to have the value") {
  const Judge judge(allow("write", "nodes",
                          std::string(kLoggedIn) + "\nheaders = { mc_identity = "
                                                   "\"*.uk.example.com\", mc_sender = \"%u\" }"));
  check_writes(judge, "nodes",
               {{{{"mc_identity", "a.uk.example.com"}, {"mc_sender", "bob"}}, true},
                {{}, false},
                {{{"mc_sender", "bob"}}, false},
                {{{"mc_identity", "a.fr.example.com"}, {"mc_sender", "bob"}}, false},
                {{{"mc_identity", "a.uk.example.com"}, {"mc_sender", "eve"}}, false}});
}

// May write only as who they are.
const std::string kFromThemselves =
    allow("write", "q", std::string(kLoggedIn) + "\nheaders = { from = \"%u\" }");

TEST_CASE("every header of a name has to have the value, for readers may take any of them") {
  check_writes(Judge(kFromThemselves), "q",
               {{{{"from", "bob"}, {"from", "bob"}}, true},
                {{{"from", "eve"}, {"from", "bob"}}, false},
                {{{"from", "bob"}, {"from", "eve"}}, false}});
}

TEST_CASE("a rule that denies needs only one header of the name with the value") {
  const Judge judge(
      deny("write", "q", std::string(kLoggedIn) + "\nheaders = { kind = \"secret\" }") +
      allow("all", "q", kLoggedIn));
  check_writes(judge, "q",
               {{{{"kind", "open"}}, true},
                {{{"kind", "secret"}}, false},
                {{{"kind", "open"}, {"kind", "secret"}}, false}});
}

TEST_CASE("a header's value with a user's name in it is compared letter by letter") {
  const Judge judge(kFromThemselves);
  const Peer star{"*", {}, "", {}};
  CHECK(judge.writes(star, "q", {{"from", "*"}}));
  CHECK_FALSE(judge.writes(star, "q", {{"from", "victim"}}));
}

TEST_CASE("a rule whose conditions fail leaves the decision to the next") {
  const Judge judge(deny("write", "q", std::string(kAnyone) + "\nheaders = { priority = \"9\" }") +
                    allow("write", "q"));
  check_writes(judge, "q", {{{}, true}, {{{"priority", "8"}}, true}, {{{"priority", "9"}}, false}});
}

// Who reads these has to name themselves in the selector.
const std::string kOwnOnly =
    allow("read", "nodes", std::string(kLoggedIn) + "\nselector = \"mc_identity = '%u'\"");

TEST_CASE("a selector has to say what the rule says, and nothing more or less") {
  const Judge judge(kOwnOnly);
  const Peer node{"n1.example.com", {}, "", {}};
  struct Wish {
    const char* selector;
    bool allowed;
  };
  for (const Wish& wish :
       {Wish{"mc_identity = 'n1.example.com'", true}, Wish{"  mc_identity='n1.example.com' ", true},
        Wish{"", false}, Wish{"mc_identity = 'n2.example.com'", false},
        Wish{"mc_sender = 'n1.example.com'", false},
        Wish{"mc_identity = 'n1.example.com' OR 1 = 1", false},
        Wish{"mc_identity <> 'n1.example.com'", false},
        Wish{"mc_identity LIKE 'n1.example.com'", false}, Wish{"not a selector", false}}) {
    CAPTURE(wish.selector);
    CHECK(judge.reads(node, "nodes", {{"selector", wish.selector}}) == wish.allowed);
  }
  CHECK_FALSE(judge.reads(node, "nodes"));
}

TEST_CASE("a selector with a quote in the user's name cannot be broken out of") {
  const Judge judge(kOwnOnly);
  const Peer quote{"x' OR '1' = '1", {}, "", {}};
  CHECK(judge.reads(quote, "nodes", {{"selector", "mc_identity = 'x'' OR ''1'' = ''1'"}}));
  CHECK_FALSE(judge.reads(quote, "nodes", {{"selector", "mc_identity = 'x' OR '1' = '1'"}}));
  const Peer star{"*", {}, "", {}};
  CHECK_FALSE(judge.reads(star, "nodes", {{"selector", "mc_identity = 'victim'"}}));
}

}  // namespace
}  // namespace stompbox::access

#include "broker/options/options.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <doctest/doctest.h>

#include "broker/options/options_cli.h"
#include "broker/options/options_file.h"
#include "broker/options/options_table.h"

namespace stompbox::options {
namespace {

std::string error_of(const std::string& toml) {
  Options options;
  const auto status = apply_toml(options, toml, "x.toml");
  return status ? std::string() : status.error().text;
}

// A file that is gone with the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text)
      : path_((std::filesystem::temp_directory_path() /
               ("stompbox-options-" + std::to_string(::getpid()) + ".toml"))
                  .string()) {
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// What the command line makes of these words; a CLI error is an exception.
storage::Result<Options> given(std::vector<std::string> words) {
  CLI::App app;
  GivenFlags flags;
  add_serve_flags(app, flags);
  std::reverse(words.begin(), words.end());
  app.parse(words);
  return resolve(flags);
}

// A value other than the default that the option takes.
std::string other_value(const Row& row) {
  const std::string now = show_field(row.field, Options{}).empty()
                              ? std::string()
                              : show_field(row.field, Options{}).front();
  if (std::holds_alternative<SwitchField>(row.field)) return now == "true" ? "false" : "true";
  if (std::holds_alternative<SizeField>(row.field)) return "77KiB";
  if (std::holds_alternative<DurationField>(row.field)) return "77ms";
  if (std::holds_alternative<ModeField>(row.field)) return "0600";
  if (std::holds_alternative<FactorField>(row.field)) return "1.5";
  if (const auto* choice = std::get_if<ChoiceField>(&row.field)) {
    return std::string(choice->words.front() == now ? choice->words.back() : choice->words.front());
  }
  const bool is_count = std::holds_alternative<CountField>(row.field) ||
                        std::holds_alternative<SmallCountField>(row.field);
  return is_count ? "77" : "other";
}

std::string as_toml(const Row& row, const std::string& value) {
  std::string text = is_bare(row.field) ? value : "\"" + value + "\"";
  if (std::holds_alternative<ListField>(row.field)) text = "[" + text + "]";
  return "[" + std::string(section_of(row)) + "]\n" + std::string(name_of(row)) + " = " + text +
         "\n";
}

TEST_CASE("every option can be set by the file and reads back as it was set") {
  for (const Row& row : table()) {
    CAPTURE(row.key);
    Options options;
    const std::string value = other_value(row);
    const auto status = apply_toml(options, as_toml(row, value), "x.toml");
    REQUIRE_MESSAGE(status.has_value(), (status ? "" : status.error().text));
    CHECK(show_field(row.field, options) == std::vector<std::string>{value});
    CHECK(show_field(row.field, Options{}) != std::vector<std::string>{value});
  }
}

TEST_CASE("an option set by the file changes no other option") {
  for (const Row& row : table()) {
    CAPTURE(row.key);
    Options options;
    REQUIRE(apply_toml(options, as_toml(row, other_value(row)), "x.toml").has_value());
    for (const Row& other : table()) {
      if (other.key == row.key) continue;
      CAPTURE(other.key);
      CHECK(show_field(other.field, options) == show_field(other.field, Options{}));
    }
  }
}

TEST_CASE("every option is a flag of serve or drain that reads like the file") {
  for (const Row& row : table()) {
    CAPTURE(row.key);
    CLI::App app;
    GivenFlags flags;
    if (row.key.starts_with("source.")) {
      add_drain_flags(app, flags);
    } else {
      add_serve_flags(app, flags);
    }
    const std::string value = other_value(row);
    std::vector<std::string> words = {value, std::string(row.flag)};  // CLI11 takes them reversed
    if (std::holds_alternative<SwitchField>(row.field)) words = {std::string(row.flag)};
    app.parse(words);
    const auto set = std::find_if(flags.flags.begin(), flags.flags.end(),
                                  [](const auto& flag) { return !flag.texts.empty(); });
    REQUIRE(set != flags.flags.end());
    CHECK(set->key == row.key);
    CHECK(set->texts == std::vector<std::string>{value});
  }
}

TEST_CASE("keys and flags are unique") {
  std::set<std::string_view> keys;
  std::set<std::string_view> flags;
  for (const Row& row : table()) {
    CAPTURE(row.key);
    CHECK(keys.insert(row.key).second);
    CHECK(flags.insert(row.flag).second);
    CHECK(row.flag.starts_with("--"));
    CHECK(row.help.ends_with('.'));
  }
}

TEST_CASE("what is shown as TOML reads back as the same options") {
  Options options;
  options.listen = {"tcp://127.0.0.1:1", "tcp://[::1]:0"};
  options.data_folder = "with \"quotes\" and \\ and \n";
  options.sqlite.group = "puppet";
  Options read;
  REQUIRE(apply_toml(read, show_toml(options), "shown").has_value());
  CHECK(show_toml(read) == show_toml(options));
  CHECK(read.data_folder == options.data_folder);
  CHECK(read.sqlite.group == options.sqlite.group);
}

TEST_CASE("the defaults pass the check") {
  CHECK(check(Options{}).has_value());
}

TEST_CASE("a flag beats the file and the file beats the default") {
  const TemporaryFile file("[session]\nerror_hold = \"3s\"\nlogin_timeout = \"4s\"\n");
  const auto options = given({"--config", file.path(), "--login-timeout", "5s"});
  REQUIRE(options.has_value());
  CHECK(options->session.login_timeout == std::chrono::seconds(5));
  CHECK(options->session.error_hold == std::chrono::seconds(3));
  CHECK(options->session.disconnect_hold == Options{}.session.disconnect_hold);
  CHECK(options->config_file == file.path());
}

TEST_CASE("a switch on the command line beats the file both ways") {
  const TemporaryFile file("[catalog]\nexported_only = true\n");
  const auto off = given({"--config", file.path(), "--catalog-exported-only=false"});
  REQUIRE(off.has_value());
  CHECK_FALSE(off->sqlite.thin);
  const auto on = given({"--catalog-exported-only"});
  REQUIRE(on.has_value());
  CHECK(on->sqlite.thin);
}

TEST_CASE("listeners on the command line replace those of the file") {
  const TemporaryFile file(
      "[listen]\naddresses = [\"tcp://127.0.0.1:1\", \"tcp://127.0.0.1:2\"]\n");
  const auto options = given(
      {"--config", file.path(), "--listen", "tcp://127.0.0.1:3", "--listen", "tcp://[::1]:4"});
  REQUIRE(options.has_value());
  CHECK(options->listen == std::vector<std::string>{"tcp://127.0.0.1:3", "tcp://[::1]:4"});
}

TEST_CASE("data folder and ephemeral exclude each other on the command line") {
  CHECK_THROWS_AS(static_cast<void>(given({"--data", "x", "--ephemeral"})), CLI::ExcludesError);
}

TEST_CASE("an unknown key is refused with its line and the nearest valid one") {
  CHECK(error_of("[log]\nlevle = \"info\"\n") ==
        "x.toml:2: there is no option log.levle; did you mean log.level?");
  CHECK(error_of("[log]\nready_file = \"x\"\n") ==
        "x.toml:2: there is no option log.ready_file; did you mean listen.ready_file?");
  CHECK(error_of("[log]\nkubernetes = 1\n") == "x.toml:2: there is no option log.kubernetes");
}

TEST_CASE("an unknown section is refused with the nearest valid one") {
  CHECK(error_of("\n[catalogue]\nstore = \"none\"\n") ==
        "x.toml:2: there is no section or option catalogue; did you mean catalog?");
  CHECK(error_of("ready_file = \"x\"\n") ==
        "x.toml:1: there is no section or option ready_file; did you mean listen.ready_file?");
  CHECK(error_of("log = \"info\"\n") == "x.toml:1: log is a section: write [log]");
}

TEST_CASE("a value of the wrong kind is refused with its line and key") {
  CHECK(error_of("[log]\nlevel = \"lout\"\n") ==
        "x.toml:2: log.level: 'lout' is none of debug, info, warning, error");
  CHECK(error_of("[log]\nlevel = \"inf\"\n") ==
        "x.toml:2: log.level: 'inf' is none of debug, info, warning, error; did you mean info?");
  CHECK(error_of("[log]\nlevel = [\"info\"]\n") == "x.toml:2: log.level takes a single value");
  CHECK(error_of("[listen]\naddresses = \"x\"\n") ==
        "x.toml:2: listen.addresses takes a list of texts");
  CHECK(error_of("[listen]\naddresses = [1]\n") ==
        "x.toml:2: listen.addresses takes a list of texts");
  CHECK(error_of("[data]\nephemeral = \"yes\"\n") ==
        "x.toml:2: data.ephemeral: 'yes' is neither true nor false");
  CHECK(error_of("[drain]\nwindow_count = 0\n") ==
        "x.toml:2: drain.window_count: '0' is too little, the least is 1");
  CHECK(error_of("[drain]\ncrashes_max = 4294967296\n") ==
        "x.toml:2: drain.crashes_max: '4294967296' is too much, the most is 4294967295");
  CHECK(error_of("[drain]\nwindow_count = -1\n") ==
        "x.toml:2: drain.window_count: '-1' is not a whole number");
}

TEST_CASE("text that is not TOML is refused with its line") {
  CHECK(error_of("[log]\nlevel = \n").starts_with("x.toml:2: "));
  CHECK_FALSE(error_of("[log\n").empty());
}

TEST_CASE("a wrong value on the command line is refused with its flag") {
  const auto options = given({"--error-hold", "soon"});
  REQUIRE_FALSE(options.has_value());
  CHECK(options.error().text ==
        "--error-hold: 'soon' is not a time; write it like 1500ms, 10s, 5min, 2h or 30d");
}

TEST_CASE("a configuration file that is not there is named") {
  const auto options = given({"--config", "/nowhere/x.toml"});
  REQUIRE_FALSE(options.has_value());
  CHECK(options.error().text.starts_with("the configuration file /nowhere/x.toml cannot be read"));
}

TEST_CASE("a listener that others can reach needs users, or the words") {
  Options options;
  options.listen = {"tcp://0.0.0.0:61613"};
  REQUIRE_FALSE(check(options).has_value());
  CHECK(check(options).error().text.find("--allow-anonymous-from-anywhere") != std::string::npos);
  options.access.anonymous_from_anywhere = true;
  CHECK(check(options).has_value());
  options.access.anonymous_from_anywhere = false;
  options.access.users_file = "users";
  CHECK(check(options).has_value());
}

TEST_CASE("bounds that contradict each other are refused") {
  Options options;
  options.session.outbox_bytes_soft = options.session.outbox_bytes_max + 1;
  CHECK_FALSE(check(options).has_value());
  options = Options{};
  options.net.inbound_bytes_max = options.session.limits.body_bytes_max - 1;
  CHECK_FALSE(check(options).has_value());
  options = Options{};
  options.drain.facts_queue = options.drain.catalog_queue;
  CHECK_FALSE(check(options).has_value());
  options = Options{};
  options.drain.catalog_queue = options.routing.dead_letter_queue;
  CHECK_FALSE(check(options).has_value());
}

TEST_CASE("all mistakes of a configuration are told at once, in the order of the file") {
  const TemporaryFile file(
      "[log]\nlevle = 1\n[catalog]\nlock_max = \"soon\"\n[session]\nerror_hold = \"3s\"\n");
  const auto options = given({"--config", file.path(), "--listen", "udp://x", "--login-timeout",
                              "never", "--dead-letter-queue", ""});
  REQUIRE_FALSE(options.has_value());
  const std::string& text = options.error().text;
  CAPTURE(text);
  std::size_t last = 0;
  for (const char* mistake : {":2: there is no option log.levle", ":4: catalog.lock_max: ",
                              "--login-timeout: ", "udp://x", "dead_letter_queue needs a name"}) {
    CAPTURE(mistake);
    const std::size_t at = text.find(mistake, last);
    REQUIRE(at != std::string::npos);
    last = at;
  }
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
}

TEST_CASE("a queue cannot be its own dead-letter queue") {
  Options options;
  options.routing.queue_policy.dead_letter_queue = "*";
  REQUIRE_FALSE(check(options).has_value());
  CHECK(check(options).error().text.find("such as *.dead") != std::string::npos);
  options.routing.queue_policy.dead_letter_queue = "*.dead";
  CHECK(check(options).has_value());
  routing::PolicyRule rule;
  rule.pattern = "shop.>";
  rule.dead_letter_queue = "*";
  options.routing.policies = {rule};
  REQUIRE_FALSE(check(options).has_value());
  CHECK(check(options).error().text.find("policy shop.>: dead_letter_queue") != std::string::npos);
}

TEST_CASE("signers of certificates that no listener asks for are a mistake") {
  Options options;
  options.tls.authorities = "/ca.pem";
  options.tls.certificate = "/a.pem";
  for (const char* listener : {"tls://127.0.0.1:1", "tcp://127.0.0.1:1"}) {
    options.listen = {listener};
    REQUIRE_FALSE(check(options).has_value());
    CHECK(check(options).error().text.find("no listener asks for them") != std::string::npos);
  }
  options.listen = {"tls://127.0.0.1:1?clients=wish", "tls://127.0.0.1:2"};
  CHECK(check(options).has_value());
}

TEST_CASE("login by certificate alone needs a listener that asks for certificates") {
  Options options;
  options.tls.certificate = "/a.pem";
  options.listen = {"tls://127.0.0.1:1"};
  options.access.certificate_login = access::CertificateLogin::kCommonName;
  REQUIRE_FALSE(check(options).has_value());
  CHECK(check(options).error().text.find("nobody could log in") != std::string::npos);
  options.access.users_file = "users";
  CHECK(check(options).has_value());
  options.access.users_file.clear();
  options.tls.authorities = "/ca.pem";
  options.tls.clients = net::ClientCertificates::kRequired;
  CHECK(check(options).has_value());
}

TEST_CASE("a time of nought is taken only where the help says what it means") {
  for (const Row& row : table()) {
    const auto* const field = std::get_if<DurationField>(&row.field);
    if (field == nullptr) continue;
    CAPTURE(row.key);
    Options options;
    const std::vector<std::string> nought = {"0"};
    const bool is_explained = row.help.find(" 0: ") != std::string_view::npos ||
                              row.help.find(" 0 ") != std::string_view::npos;
    CHECK(set_field(row.field, options, nought).has_value() == is_explained);
    const std::vector<std::string> decade = {"87600h"};
    CHECK(set_field(row.field, options, decade).has_value());
    const std::vector<std::string> more = {"87601h"};
    const auto status = set_field(row.field, options, more);
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().text == "'87601h' is too much, the most is 315360000000ms");
  }
}

TEST_CASE("whom certificates log in cannot be said while they log nobody in") {
  Options options;
  options.access.users_file = "users";
  options.access.certificate_users = {"* -> *"};
  CHECK_FALSE(check(options).has_value());
  options.access.certificate_login = access::CertificateLogin::kCommonName;
  CHECK(check(options).has_value());
  options.access.certificate_users = {"*"};
  CHECK_FALSE(check(options).has_value());
}

TEST_CASE("what this machine does not have is a mistake that only the check of the world finds") {
  Options options;
  options.access.users_file = "/nowhere/users";
  options.access.rules_file = "/nowhere/rules";
  options.sqlite.owner = "no such user";
  options.sqlite.group = "no such group";
  CHECK(check(options).has_value());
  const auto status = check_world(options);
  REQUIRE_FALSE(status.has_value());
  for (const char* mistake :
       {"the users file /nowhere/users cannot be read",
        "the rules file /nowhere/rules cannot be read", "this machine has no user no such user",
        "this machine has no group no such group"}) {
    CAPTURE(mistake);
    CHECK(status.error().text.find(mistake) != std::string::npos);
  }
  CHECK(check_world(Options{}).has_value());
}

TEST_CASE("places follow from the data folder") {
  Options options;
  options.data_folder = "/srv/box";
  CHECK(queue_folder(options) == "/srv/box/queue");
  CHECK(control_socket_path(options) == "/srv/box/control.sock");
  CHECK(to_text(*catalog_place(options)) == "sqlite:/srv/box/storeconfigs.sqlite3");
}

TEST_CASE("an ephemeral broker has no place but what is named") {
  Options options;
  options.ephemeral = true;
  CHECK(queue_folder(options).empty());
  CHECK(control_socket_path(options).empty());
  CHECK(catalog_place(options)->kind == catalog::PlaceKind::kNone);
  options.catalog_store = "sqlite:/tmp/x.sqlite3";
  options.control_socket = "/tmp/x.sock";
  CHECK(to_text(*catalog_place(options)) == "sqlite:/tmp/x.sqlite3");
  CHECK(control_socket_path(options) == "/tmp/x.sock");
}

TEST_CASE("a catalog store of an unknown kind is refused") {
  Options options;
  for (const char* store : {"mysql:x", "sqlite:", "", "x.sqlite3", "mysql://u:p@h/db"}) {
    CAPTURE(store);
    options.catalog_store = store;
    CHECK_FALSE(check(options).has_value());
  }
  options.catalog_store = "none";
  CHECK(check(options).has_value());
}

}  // namespace
}  // namespace stompbox::options

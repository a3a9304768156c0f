#include "broker/faces/stompserver.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "broker/faces/faces.h"
#include "broker/faces/stompserver_yaml.h"
#include "tests/support/test_folder.h"

namespace stompbox::faces {
namespace {

Plan plan_of(const std::vector<std::string>& words, const std::string& folder = "/nowhere/here",
             Dialect dialect = Dialect::kStompserver) {
  Outcome outcome = plan_stompserver(dialect, words, folder);
  const auto* const answer = std::get_if<Answer>(&outcome);
  REQUIRE_MESSAGE(answer == nullptr, (answer == nullptr ? "" : answer->text));
  return std::get<Plan>(std::move(outcome));
}

Answer answer_of(const std::vector<std::string>& words,
                 const std::string& folder = "/nowhere/here") {
  const Outcome outcome = plan_stompserver(Dialect::kStompserver, words, folder);
  REQUIRE(std::holds_alternative<Answer>(outcome));
  return std::get<Answer>(outcome);
}

bool tells(const Plan& plan, const std::string& words) {
  return std::any_of(plan.notices.begin(), plan.notices.end(), [&words](const Notice& notice) {
    return notice.text.find(words) != std::string::npos;
  });
}

StompserverSettings yaml(const std::string& text) {
  StompserverSettings settings;
  std::vector<std::string> warnings;
  const auto status = apply_yaml(settings, text, "x.conf", warnings);
  REQUIRE_MESSAGE(status.has_value(), (status ? "" : status.error().text));
  CHECK(warnings.empty());
  return settings;
}

TEST_CASE("a program's name says whose place it takes, wherever it lies") {
  CHECK(find_face("stompserver") == Face::kStompserver);
  CHECK(find_face("/usr/bin/stompserver_ng") == Face::kStompserverNg);
  CHECK(find_face("./coilmq") == Face::kCoilmq);
  CHECK_FALSE(find_face("/usr/bin/stompbox").has_value());
  CHECK_FALSE(find_face("stompserver/stompbox").has_value());
  CHECK_FALSE(find_face("").has_value());
}

TEST_CASE("without arguments it is StompServer: memory, loopback, everything below here") {
  const Plan plan = plan_of({});
  CHECK(plan.options.ephemeral);
  CHECK(plan.options.listen == std::vector<std::string>{"tcp://127.0.0.1:61613"});
  CHECK(plan.options.routing.profile->name == "stompserver");
  CHECK(plan.options.catalog_store == "none");
  CHECK(plan.options.access.plain_users_file.empty());
  CHECK_FALSE(plan.options.access.anonymous_from_anywhere);
  CHECK(plan.process.ground == Ground::kForeground);
  CHECK(plan.process.folders ==
        std::vector<std::string>{"/nowhere/here/", "/nowhere/here/log", "/nowhere/here/etc"});
  CHECK(plan.process.pid_file == "/nowhere/here/log/stompserver.pid");
  CHECK(plan.options.log.file.empty());
  CHECK(plan.old_storage.empty());
  CHECK(plan.notices.empty());
}

TEST_CASE("queues of a kept type lie in a folder of ours in the old one") {
  for (const char* const type : {"file", "dbm", "activerecord"}) {
    CAPTURE(type);
    const Plan plan = plan_of({"-q", type, "-w", "kept", "-s", "queues"});
    CHECK_FALSE(plan.options.ephemeral);
    CHECK(plan.options.data_folder == "/nowhere/here/kept/queues/stompbox");
    CHECK(plan.old_storage == "/nowhere/here/kept/queues");
    CHECK(plan.process.folders.back() == "/nowhere/here/kept/queues");
  }
  CHECK(plan_of({"-q", "anything"}).options.ephemeral);
}

TEST_CASE("Debian's file is read with its paths as they are") {
  const support::TestFolder folder;
  std::ofstream(folder.file("debian.conf")) << "--- \n"
                                               ":daemon: true\n"
                                               ":working_dir: /var/lib/stompserver\n"
                                               ":logdir: /var/log/stompserver\n"
                                               ":pidfile: /var/run/stompserver/pid\n"
                                               ":storage: /var/lib/stompserver/storage\n"
                                               ":etcdir: /etc/stompserver\n"
                                               ":queue: file # kept\n"
                                               ":auth: yes\n"
                                               ":debug: false\n"
                                               ":group: stompserver\n"
                                               ":user: 'stompserver'\n"
                                               ":host: 127.0.0.1\n"
                                               ":port: 61613\n";
  const Plan plan = plan_of({"-C", folder.file("debian.conf")}, folder.path());
  CHECK(plan.process.ground == Ground::kBackground);
  CHECK(plan.process.working_folder == "/var/lib/stompserver");
  CHECK(plan.process.folders == std::vector<std::string>{"/var/lib/stompserver",
                                                         "/var/log/stompserver", "/etc/stompserver",
                                                         "/var/lib/stompserver/storage"});
  CHECK(plan.process.pid_file == "/var/run/stompserver/pid");
  CHECK(plan.process.output_file == "/var/log/stompserver/stompserver.log");
  CHECK(plan.options.log.file == "/var/log/stompserver/stompserver.log");
  CHECK(plan.process.user == "stompserver");
  CHECK(plan.process.group == "stompserver");
  CHECK(plan.options.access.plain_users_file == "/etc/stompserver/.passwd");
  CHECK(plan.options.data_folder == "/var/lib/stompserver/storage/stompbox");
  CHECK(plan.notices.empty());
}

TEST_CASE(
    "keys are symbols or plain, values empty, quoted, or any of YAML's words for yes and no") {
  CHECK(yaml("---\n:port: 1\nhost: 127.0.0.2\n").host == "127.0.0.2");
  CHECK(yaml(":group:\n:user: ''\n:port: ~\n").port == 61613);
  CHECK(yaml(":queue: \"file\"\n").queue == "file");
  CHECK(yaml(":queue: :file\n").queue == "file");
  for (const char* word : {"true", "yes", "on", "Yes", "TRUE", "y"})
    CHECK(yaml(std::string(":daemon: ") + word + "\n").daemon);
  for (const char* word : {"false", "no", "off", "No"})
    CHECK_FALSE(yaml(std::string(":daemon: ") + word + "\n").daemon);
  CHECK(yaml("").port == 61613);
  CHECK(yaml("# nothing\n---\n").port == 61613);
}

TEST_CASE("a key that does not exist is a warning, a value that cannot be an error with its line") {
  StompserverSettings settings;
  std::vector<std::string> warnings;
  CHECK(apply_yaml(settings, ":prt: 1\n", "x.conf", warnings).has_value());
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("x.conf line 1") == 0);
  CHECK(warnings[0].find("prt") != std::string::npos);
  for (const char* text : {"a: b\n:port: high\n", "a: b\n:port: 70000\n", "a: b\n:port: [1]\n",
                           "a: b\n:daemon: perhaps\n"}) {
    CAPTURE(text);
    const auto status = apply_yaml(settings, text, "x.conf", warnings);
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().text.find("x.conf line 2") == 0);
  }
  CHECK_FALSE(apply_yaml(settings, "- a\n- b\n", "x.conf", warnings).has_value());
  CHECK_FALSE(apply_yaml(settings, ":a: {b\n", "x.conf", warnings).has_value());
}

TEST_CASE("the usual file, then the named file, then the command line: the later one wins") {
  const support::TestFolder folder;
  std::ofstream(folder.file("stompserver.conf")) << ":port: 1\n:storage: one\n:queue: file\n";
  std::ofstream(folder.file("other.conf")) << ":port: 2\n:storage: two\n";
  CHECK(plan_of({}, folder.path()).options.listen[0] == "tcp://127.0.0.1:1");
  const Plan named = plan_of({"--config=other.conf"}, folder.path());
  CHECK(named.options.listen[0] == "tcp://127.0.0.1:2");
  CHECK(named.old_storage == folder.file("two"));
  CHECK_FALSE(named.options.ephemeral);
  const Plan given = plan_of({"-p", "3", "-C", "other.conf"}, folder.path());
  CHECK(given.options.listen[0] == "tcp://127.0.0.1:3");
  CHECK(given.old_storage == folder.file("two"));
}

TEST_CASE("a named file that is not there is told and no obstacle") {
  CHECK(tells(plan_of({"-C", "/nowhere/absent.conf"}), "/nowhere/absent.conf"));
}

TEST_CASE("a host that others can reach counts as asked for, and is told") {
  const Plan plan = plan_of({"-b", "0.0.0.0"});
  CHECK(plan.options.listen[0] == "tcp://0.0.0.0:61613");
  CHECK(plan.options.access.anonymous_from_anywhere);
  CHECK(tells(plan, "0.0.0.0"));
  CHECK_FALSE(plan_of({"-ab", "0.0.0.0"}).options.access.anonymous_from_anywhere);
  CHECK(plan_of({"-b", "localhost"}).options.listen[0] == "tcp://127.0.0.1:61613");
  CHECK(plan_of({"-b", "::1"}).options.listen[0] == "tcp://[::1]:61613");
}

TEST_CASE("checkpoint and words that are no options are taken and told") {
  CHECK(tells(plan_of({"-c", "5"}), "checkpoint"));
  CHECK(tells(plan_of({"start"}), "start"));
}

TEST_CASE("an option that does not exist is one sentence and exit code 1, as Ruby has it") {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"--nosuch"}, {"-x"}, {"-p", "abc"}, {"-p"}, {"--debug=1"}, {"-D", "x"}}) {
    CAPTURE(words[0]);
    const Answer answer = answer_of(words);
    CHECK(answer.exit_code == 1);
    CHECK(answer.text.find("stompserver: ") == 0);
    CHECK(std::count(answer.text.begin(), answer.text.end(), '\n') == 1);
  }
}

TEST_CASE("the help has every option and is no failure") {
  const Answer answer = answer_of({"-p", "1", "-h"});
  CHECK(answer.exit_code == 0);
  for (const SwitchRow& row : switch_rows(Dialect::kStompserver))
    CHECK(answer.text.find("--" + std::string(row.name)) != std::string::npos);
}

TEST_CASE(
    "stompserver_ng has its further options, and its log is not so quiet that warnings hide") {
  const Plan plan = plan_of({"-z", "-D", "logs", "-L", "ng.log", "-P", "ng.pid", "-S", "25", "-y",
                             "database.yml", "-q", "file"},
                            "/nowhere/here", Dialect::kStompserverNg);
  CHECK(plan.process.ground == Ground::kBackground);
  CHECK(plan.process.pid_file == "/nowhere/here/logs/ng.pid");
  CHECK(plan.options.log.file == "/nowhere/here/logs/ng.log");
  CHECK(plan.options.log.level == log::Level::kWarning);
  CHECK(plan.options.monitor_fields == options::MonitorFields::kExceptions);
  CHECK(plan_of({"-l", "debug"}, "/nowhere/here", Dialect::kStompserverNg).options.log.level ==
        log::Level::kDebug);
}

TEST_CASE("our own keys turn the catalog store on and read a file of ours") {
  const support::TestFolder folder;
  std::ofstream(folder.file("more.toml")) << "[session]\nserver_name = \"old\"\n";
  std::ofstream(folder.file("stompserver.conf"))
      << ":catalog_store: auto\n:queue: file\n:stompbox_config: more.toml\n:monitor_fields: all\n";
  const Plan plan = plan_of({}, folder.path());
  CHECK(plan.options.catalog_store == "auto");
  CHECK(plan.options.session.server_name == "old");
  CHECK(plan.options.monitor_fields == options::MonitorFields::kAll);
}

TEST_CASE("every flag but help is a key of the file") {
  for (const Dialect dialect : {Dialect::kStompserver, Dialect::kStompserverNg}) {
    for (const SwitchRow& row : switch_rows(dialect)) {
      CAPTURE(row.name);
      CHECK((row.name == "help" || find_setting(key_of(row)) != nullptr));
    }
  }
}

}  // namespace
}  // namespace stompbox::faces

#include "broker/faces/puppetqd.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include "broker/faces/puppetqd_conf.h"
#include "broker/faces/puppetqd_words.h"
#include "tests/support/test_folder.h"

using namespace stompbox;
using namespace stompbox::faces;

namespace {

using Words = std::vector<std::string>;

// puppetqd as an ordinary user whose home is a folder of the test's.
struct Site {
  void write_conf(const std::string& text) {
    std::ofstream(folder.path() + "/puppet.conf") << text;
    conf = true;
  }
  Outcome outcome(Words words = {}) const {
    if (conf) words.insert(words.begin(), {"--config", folder.path() + "/puppet.conf"});
    return plan_puppetqd(words, "/here", {false, "/home/pat", syslog});
  }
  Plan plan(const Words& words = {}) const {
    auto made = outcome(words);
    if (const auto* const answer = std::get_if<Answer>(&made)) FAIL(answer->text);
    return std::get<Plan>(made);
  }
  std::string refusal(const Words& words = {}) const {
    auto made = outcome(words);
    REQUIRE(std::holds_alternative<Answer>(made));
    CHECK(std::get<Answer>(made).exit_code == 1);
    return std::get<Answer>(made).text;
  }
  support::TestFolder folder;
  bool conf = false;
  bool syslog = true;
};

bool warns(const Plan& plan, const std::string& words) {
  return std::any_of(plan.notices.begin(), plan.notices.end(), [&words](const Notice& notice) {
    return notice.text.find(words) != std::string::npos;
  });
}

PuppetConf conf_of(const std::string& text) {
  auto conf = read_puppet_conf(text, "f");
  REQUIRE(conf);
  return *conf;
}

}  // namespace

TEST_CASE(
    "puppet.conf has sections, indented settings, comments, and words about files in braces") {
  const auto conf = conf_of(
      "ssldir = $vardir/ssl\n[main]\n  # note\n\tvardir = /v  { owner = root, mode = 644 }\r\n"
      "queue_source=stomp://a:b=c@h:1/\n[ master ]\n    dbuser = 'puppet'\n  x = ${vardir}\n");
  CHECK(conf.at("main").at("ssldir") == "$vardir/ssl");
  CHECK(conf.at("main").at("vardir") == "/v");
  CHECK(conf.at("main").at("queue_source") == "stomp://a:b=c@h:1/");
  CHECK(conf.at("master").at("dbuser") == "puppet");
  CHECK(conf.at("master").at("x") == "${vardir}");
  const auto wrong = read_puppet_conf("[main]\n\nwhat is this\n", "puppet.conf");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().text.starts_with("puppet.conf line 3 "));
}

TEST_CASE("settings refer to others, and a circle or a stranger's name is told") {
  PuppetSettings settings({{"vardir", "/v"},
                           {"statedir", "$vardir/state"},
                           {"a", "$b"},
                           {"b", "${a}"},
                           {"c", "$nothing/x"},
                           {"dbpassword", "pa$$word"}},
                          {});
  settings.take_conf(conf_of("[main]\nvardir = /w\nd = ${statedir}s and $vardir\n"));
  CHECK(*settings.value("d") == "/w/states and /w");
  CHECK(settings.value("a").error().text.find("circle") != std::string::npos);
  CHECK(settings.value("c").error().text.find("$nothing") != std::string::npos);
  CHECK(*settings.value("dbpassword") == "pa$$word");
  CHECK(settings.value("unheard")->empty());
}

TEST_CASE("the command line goes before [puppetqd], [user] and [main], and [master] is not read") {
  PuppetSettings settings({{"a", "0"}}, {{"d", "4"}});
  settings.take_conf(conf_of(
      "[main]\na=1\nb=1\nc=1\nd=1\n[user]\nb=2\nc=2\nd=2\n[puppetqd]\nc=3\nd=3\n[master]\na=9\n"));
  CHECK(*settings.value("a") == "1");
  CHECK(*settings.value("b") == "2");
  CHECK(*settings.value("c") == "3");
  CHECK(*settings.value("d") == "4");
}

TEST_CASE("puppetqd's words are its flags and any setting") {
  const Words words{"-dv",
                    "--no-daemonize",
                    "--queue-source",
                    "stomp://h:1/",
                    "--dbuser=x",
                    "--thin_storeconfigs",
                    "-l",
                    "/log"};
  const auto read = read_puppetqd_words(words);
  REQUIRE(read);
  CHECK(read->debug);
  CHECK(read->verbose);
  CHECK(read->log_destination == "/log");
  CHECK(read->settings == PuppetSettings::Values{{"daemonize", "false"},
                                                 {"queue_source", "stomp://h:1/"},
                                                 {"dbuser", "x"},
                                                 {"thin_storeconfigs", "true"}});
  const auto refused = [](const Words& wrong) { return read_puppetqd_words(wrong).error().text; };
  CHECK(refused({"start"}) == "unexpected argument: start");
  CHECK(refused({"-x"}) == "invalid option: -x");
  CHECK(refused({"--dbuser"}) == "missing argument: --dbuser");
  CHECK(refused({"-l"}) == "missing argument: -l");
}

TEST_CASE("without a file Puppet's own defaults hold") {
  const Plan plan = Site().plan({"--no-daemonize"});
  CHECK(plan.service == Service::kDrain);
  CHECK(plan.options.source.url == "stomp://localhost:61613/queue/catalog");
  CHECK(plan.options.catalog_store == "sqlite:/home/pat/.puppet/var/state/clientconfigs.sqlite3");
  CHECK(plan.options.sqlite.mode == 0660);
  CHECK(plan.process.ground == Ground::kForeground);
  CHECK(warns(plan, "there is no /home/pat/.puppet/puppet.conf"));
}

TEST_CASE("a daemon has a pid file where Puppet has it") {
  Site site;
  site.write_conf("[main]\nvardir = /srv/puppet\n");
  const Plan plan = site.plan();
  CHECK(plan.process.ground == Ground::kBackground);
  CHECK(plan.process.pid_file == "/srv/puppet/run/puppetqd.pid");
  CHECK(site.plan({"--pidfile=/p"}).process.pid_file == "/p");
}

TEST_CASE("it logs to the system's log unless told otherwise, or read along in the foreground") {
  const Site site;
  const auto on_syslog = [&site](const Words& words) {
    const Plan plan = site.plan(words);
    CHECK(plan.options.log.file.empty());
    return plan.options.log.syslog.has_value();
  };
  CHECK(on_syslog({}));
  CHECK(on_syslog({"--verbose"}));  // a daemon has no console
  CHECK(on_syslog({"--no-daemonize"}));
  CHECK(on_syslog({"--no-daemonize", "--debug", "--logdest", "syslog"}));
  CHECK_FALSE(on_syslog({"--no-daemonize", "--verbose"}));
  CHECK_FALSE(on_syslog({"--no-daemonize", "--debug"}));
  CHECK_FALSE(on_syslog({"--no-daemonize", "--logdest", "console"}));
  CHECK(on_syslog({"--logdest", "console"}));
  CHECK(warns(site.plan({"-l", "console"}), "no console"));

  const Plan to_file = site.plan({"-l", "x.log"});
  CHECK(to_file.options.log.file == "/here/x.log");
  CHECK_FALSE(to_file.options.log.syslog);
  CHECK(site.plan({"--debug"}).options.log.level == log::Level::kDebug);
  CHECK(site.plan({"--verbose"}).options.log.level == log::Level::kInfo);
}

TEST_CASE("in the system's log it is puppetqd, of the facility that Puppet is told") {
  Site site;
  CHECK(site.plan().options.log.syslog->name == "puppetqd");
  CHECK(site.plan().options.log.syslog->facility == "daemon");
  site.write_conf("[main]\nsyslogfacility = local3\n");
  CHECK(site.plan().options.log.syslog->facility == "local3");
  CHECK(site.refusal({"--syslogfacility", "local9"}).find("local9 is none") != std::string::npos);
}

TEST_CASE("without a system log the log is a file where Puppet has it") {
  Site site;
  site.syslog = false;
  site.write_conf("[main]\nlogdir = /var/log/puppet\n");
  const Plan plan = site.plan();
  CHECK(plan.options.log.file == "/var/log/puppet/puppetqd.log");
  CHECK_FALSE(plan.options.log.syslog);
  CHECK(warns(plan, "no system log"));
  CHECK(site.plan({"-l", "syslog"}).options.log.file == "/var/log/puppet/puppetqd.log");
}

TEST_CASE("stompbox_config names a file of ours, which wins") {
  Site site;
  std::ofstream(site.folder.path() + "/more.toml") << "[drain]\nforget_after = \"90d\"\n";
  const Plan plan = site.plan({"--stompbox_config", site.folder.path() + "/more.toml"});
  CHECK(plan.options.drain.forget_after == std::chrono::hours(24 * 90));
  CHECK(site.refusal({"--stompbox_config", "/nowhere"}).find("/nowhere") != std::string::npos);
}

TEST_CASE("queue_source gives broker and login, undecoded as Puppet has it") {
  Site site;
  site.write_conf("[main]\nqueue_source = stomp://us%40er:pa@ss@mq1:61613/ignored\n");
  const auto& source = site.plan().options.source;
  CHECK(source.url == "stomp://mq1:61613/queue/catalog");
  CHECK(source.user == "us%40er");
  CHECK(source.passcode == "pa@ss");
}

TEST_CASE("a MySQL database is named with all that leads there but the password") {
  Site site;
  site.write_conf(
      "[main]\ndbadapter = mysql\ndbserver = db1\ndbport = 3307\ndbname = pup/pet\n"
      "dbuser = who@m\ndbpassword = s$cret\ndbsocket = /run/my sql.sock\n"
      "thin_storeconfigs = true\n");
  const Plan plan = site.plan();
  CHECK(plan.options.catalog_store ==
        "mysql://who%40m@db1:3307/pup%2Fpet?socket=%2Frun%2Fmy%20sql.sock");
  CHECK(plan.database_password == "s$cret");
  CHECK(plan.options.sqlite.thin);
  CHECK(site.plan({"--dbadapter", "mysql2"}).options.catalog_store.starts_with("mysql://"));
}

TEST_CASE("database settings that stand in [master] only are warned of") {
  Site site;
  site.write_conf(
      "[main]\ndbuser = a\n[master]\ndbadapter = mysql\ndbuser = a\nqueue_source = stomp://x:1/\n"
      "certname = m\n");
  const Plan plan = site.plan();
  CHECK(warns(plan, "[master] of puppet.conf, where dbadapter, queue_source is set"));
  CHECK(plan.options.catalog_store.starts_with("sqlite:"));
}

TEST_CASE("what is not supported is refused in one sentence") {
  Site site;
  site.write_conf("[main]\ndbadapter = postgresql\n");
  CHECK(site.refusal() ==
        "puppetqd: dbadapter postgresql is not supported here: the databases are sqlite3, mysql "
        "and mysql2\n");
  const auto words = [&site](const std::string& word) {
    return site.refusal({"--dbadapter=sqlite3", word});
  };
  CHECK(words("--queue_type=amqp").find("queue_type amqp") != std::string::npos);
  CHECK(words("--queue_source=stomp+ssl://x:1").find("no STOMP URL") != std::string::npos);
  CHECK(words("--dblocation=$nowhere/x").find("$nowhere") != std::string::npos);
  CHECK(words("--config=/nowhere/puppet.conf").find("/nowhere/puppet.conf") != std::string::npos);
}

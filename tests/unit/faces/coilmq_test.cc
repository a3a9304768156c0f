#include "broker/faces/coilmq.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/test_folder.h"

namespace stompbox::faces {
namespace {

Plan plan_of(const std::vector<std::string>& words, const std::string& folder = "/here") {
  Outcome outcome = plan_coilmq(words, folder);
  const auto* const answer = std::get_if<Answer>(&outcome);
  REQUIRE_MESSAGE(answer == nullptr, (answer == nullptr ? "" : answer->text));
  return std::get<Plan>(std::move(outcome));
}

Answer answer_of(const std::vector<std::string>& words) {
  const Outcome outcome = plan_coilmq(words, "/here");
  REQUIRE(std::holds_alternative<Answer>(outcome));
  return std::get<Answer>(outcome);
}

TEST_CASE("without arguments it is CoilMQ: memory, loopback, in the foreground, no catalogs") {
  const Plan plan = plan_of({});
  CHECK(plan.options.ephemeral);
  CHECK(plan.options.listen == std::vector<std::string>{"tcp://127.0.0.1:61613"});
  CHECK(plan.options.catalog_store == "none");
  CHECK(plan.process.ground == Ground::kForeground);
  CHECK(plan.process.pid_file.empty());
  CHECK(plan.notices.empty());
}

TEST_CASE("the flags of a daemon are for a daemon") {
  const Plan plan = plan_of({"-d", "-u", "nobody", "-g", "nogroup", "--pidfile=run/pid", "--umask",
                             "027", "-l", "coil.log", "--debug", "-p", "0"});
  CHECK(plan.process.ground == Ground::kBackground);
  CHECK(plan.process.user == "nobody");
  CHECK(plan.process.group == "nogroup");
  CHECK(plan.process.pid_file == "/here/run/pid");
  CHECK(plan.process.file_mask == 027U);
  CHECK(plan.process.working_folder == "/");
  CHECK(plan.options.log.file == "/here/coil.log");
  CHECK(plan.options.log.level == log::Level::kDebug);
  CHECK(plan.options.listen == std::vector<std::string>{"tcp://127.0.0.1:0"});
}

TEST_CASE("the section [coilmq] counts, and flags beat it") {
  const support::TestFolder folder;
  std::ofstream(folder.file("c.ini")) << "[coilmq]\n"
                                         "listen_addr = 127.0.0.2\n"
                                         "listen_port = 7000\n"
                                         "qstore.factory = coilmq.store.dbm:make_dbm\n"
                                         "qstore.dbm.data_dir = store\n"
                                         "qstore.dbm.checkpoint_timeout = 20\n"
                                         "auth.factory = coilmq.auth.simple:make_simple\n"
                                         "auth.simple.file = users.ini\n"
                                         "no.such.key = 1\n";
  const Plan plan = plan_of({"-c", "c.ini", "--port=7001"}, folder.path());
  CHECK(plan.options.listen == std::vector<std::string>{"tcp://127.0.0.2:7001"});
  CHECK_FALSE(plan.options.ephemeral);
  CHECK(plan.options.data_folder == folder.file("store/stompbox"));
  CHECK(plan.options.access.plain_users_file == folder.file("users.ini"));
  CHECK(plan.options.access.plain_users_format == access::PlainUsersFormat::kCoilmq);
  const bool told = std::any_of(plan.notices.begin(), plan.notices.end(), [](const Notice& notice) {
    return notice.text.find("no.such.key") != std::string::npos;
  });
  CHECK(told);
}

TEST_CASE("whoever wants passcodes and does not say whose is refused, and so is another's way") {
  const support::TestFolder folder;
  const auto text_with = [&folder](const std::string& lines) {
    std::ofstream(folder.file("c.ini")) << "[coilmq]\n" << lines;
    return answer_of({"-c", folder.file("c.ini")}).text;
  };
  CHECK(text_with("auth.factory = coilmq.auth.simple:make_simple\n").find("auth.simple.file") !=
        std::string::npos);
  const std::string foreign = "auth.factory = my.ldap:make_ldap\n";
  CHECK(text_with(foreign).find("no auth.factory my.ldap:make_ldap") != std::string::npos);
  CHECK(text_with(foreign + "auth.simple.file = users.ini\n").find("no auth.factory") !=
        std::string::npos);
}

TEST_CASE("without auth.factory nobody is asked, as with CoilMQ") {
  const support::TestFolder folder;
  std::ofstream(folder.file("c.ini")) << "[coilmq]\nauth.simple.file = users.ini\n";
  const Plan plan = plan_of({"-c", folder.file("c.ini")});
  CHECK_FALSE(access::asks_who(plan.options.access));
}

TEST_CASE("what cannot be is misuse, exit code 2, with a sentence") {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--nosuch"},
                                             {"word"},
                                             {"-p", "x"},
                                             {"-c", "absent.ini"},
                                             {"-d", "--umask", "9"},
                                             {"-p"}}) {
    CAPTURE(words[0]);
    const Answer answer = answer_of(words);
    CHECK(answer.exit_code == 2);
    CHECK(answer.text.find("coilmq: ") == 0);
  }
  CHECK(answer_of({"--help"}).exit_code == 0);
}

}  // namespace
}  // namespace stompbox::faces

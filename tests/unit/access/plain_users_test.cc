#include "broker/access/plain_users.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "broker/access/passwords.h"
#include "broker/access/users_file.h"
#include "tests/support/test_folder.h"

namespace stompbox::access {
namespace {

std::string passcode_of(const PlainUsers& read, const std::string& name) {
  const User* user = read.users.find(name);
  if (user == nullptr) return "nobody";
  CHECK(user->kind == SecretKind::kPlain);
  return user->secret;
}

TEST_CASE("StompServer's users are parted from their passcodes at the last colon") {
  const PlainUsers read = parse_plain_users("# ours\n\n  puppet:secret \r\na:b:c\n\tx:y\t\n", "f",
                                            PlainUsersFormat::kStompServer);
  CHECK(read.users.count() == 3);
  CHECK(passcode_of(read, "puppet") == "secret");
  CHECK(passcode_of(read, "a:b") == "c");
  CHECK(passcode_of(read, "x") == "y");
  CHECK(read.warnings.empty());
}

TEST_CASE("a line of StompServer's file that has no user is skipped with a warning") {
  const PlainUsers read =
      parse_plain_users("a:b\nnonsense\n:x\ny:\np q:r\n", "f", PlainUsersFormat::kStompServer);
  CHECK(read.users.count() == 1);
  REQUIRE(read.warnings.size() == 4);
  CHECK(read.warnings[0].starts_with("f:2: this line is skipped"));
  CHECK(read.warnings[0].find("nonsense") == std::string::npos);
}

TEST_CASE("the later line of a StompServer user wins") {
  const PlainUsers read = parse_plain_users("a:1\na:2\n", "f", PlainUsersFormat::kStompServer);
  CHECK(passcode_of(read, "a") == "2");
}

TEST_CASE("CoilMQ's users stand in the section auth of an INI file") {
  const PlainUsers read = parse_plain_users(
      "[other]\nx = y\n[auth]\n; ours\nJuniper = rock: n%%roll\nbob: b=c\n[more]\nz = 1\n", "f",
      PlainUsersFormat::kCoilmq);
  CHECK(read.users.count() == 2);
  CHECK(passcode_of(read, "juniper") == "rock: n%roll");
  CHECK(passcode_of(read, "bob") == "b=c");
}

TEST_CASE("a plain passcode is right only as it stands there") {
  CHECK(verify_plain("secret", "secret") == Verdict::kRight);
  for (const char* wrong : {"", "s", "Secret", "secre", "secrets", "secretsecret"}) {
    CAPTURE(wrong);
    CHECK(verify_plain(wrong, "secret") == Verdict::kWrong);
  }
  CHECK(verify_plain("", "") == Verdict::kWrong);
}

TEST_CASE("users of a foreign file come beside our own, which win") {
  const support::TestFolder folder;
  const auto hash = hash_password("x");
  REQUIRE(hash.has_value());
  AccessOptions options;
  options.users_file = folder.file("users");
  options.plain_users_file = folder.file(".passwd");
  std::ofstream(options.users_file) << "both:" << *hash << "\n";
  std::ofstream(options.plain_users_file) << "both:plain\nold:plain\n";
  const auto loaded = load_users(options);
  REQUIRE(loaded.has_value());
  CHECK(loaded->users.count() == 2);
  CHECK(loaded->users.find("both")->kind == SecretKind::kHash);
  CHECK(loaded->users.find("old")->kind == SecretKind::kPlain);
}

TEST_CASE("plain passcodes get one warning that shows none of them") {
  const support::TestFolder folder;
  AccessOptions options;
  options.plain_users_file = folder.file(".passwd");
  std::ofstream(options.plain_users_file) << "a:topsecret\n";
  std::filesystem::permissions(options.plain_users_file, std::filesystem::perms::owner_all);
  const auto loaded = load_users(options);
  REQUIRE(loaded.has_value());
  REQUIRE(loaded->warnings.size() == 1);
  CHECK(loaded->warnings[0].find("'stompbox passwd' makes a users file") != std::string::npos);
  CHECK(loaded->warnings[0].find("topsecret") == std::string::npos);
}

TEST_CASE("a foreign file that is not there has no users, and that is said") {
  AccessOptions options;
  options.plain_users_file = "/nowhere/.passwd";
  const auto loaded = load_users(options);
  REQUIRE(loaded.has_value());
  CHECK(loaded->users.count() == 0);
  REQUIRE(loaded->warnings.size() == 1);
  CHECK(loaded->warnings[0].starts_with("there is no users file /nowhere/.passwd"));
}

}  // namespace
}  // namespace stompbox::access

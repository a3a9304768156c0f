#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "broker/access/passwords.h"
#include "broker/access/users_file.h"
#include "tests/support/test_folder.h"

namespace stompbox::access {
namespace {

using support::TestFolder;

// A hash in form; nobody knows its passcode.
const std::string kHash =
    "$y$j9T$KkGTdIYgdHCwmwZ8bkYdv.$UlmZXoUvRUbzFVYX.ZXKVtKXMHQHVZCGCGVRTOQRzC0";

std::size_t count_files(const TestFolder& folder) {
  const std::filesystem::directory_iterator all(folder.path());
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

std::string read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string fault(const std::string& text) {
  const auto users = parse_users(text, "users");
  return users ? std::string() : users.error().text;
}

TEST_CASE("users are lines of name and hash, comments and blank lines apart") {
  const auto users =
      parse_users("# masters\n\npuppet:" + kHash + "\r\nother one:" + kHash, "users");
  REQUIRE(users.has_value());
  CHECK(users->count() == 2);
  REQUIRE(users->find("puppet") != nullptr);
  CHECK(users->find("puppet")->secret == kHash);
  CHECK(users->find("puppet")->kind == SecretKind::kHash);
  CHECK(users->find("puppet")->groups.empty());
  CHECK(users->find("other one") != nullptr);
  CHECK(users->find("# masters") == nullptr);
  CHECK(users->find("") == nullptr);
  CHECK(users->find("Puppet") == nullptr);
}

TEST_CASE("groups stand behind a second colon") {
  const auto users = parse_users("a:" + kHash + ":servers,ops team,servers\n", "users");
  REQUIRE(users.has_value());
  CHECK(users->find("a")->secret == kHash);
  CHECK(users->find("a")->groups == std::vector<std::string>{"servers", "ops team"});
}

TEST_CASE("a user without a passcode has groups and comes in by certificate only") {
  const auto users = parse_users("node1.example.com:-:servers\n", "users");
  REQUIRE(users.has_value());
  CHECK(users->find("node1.example.com")->kind == SecretKind::kNone);
  CHECK(users->find("node1.example.com")->groups == std::vector<std::string>{"servers"});
}

TEST_CASE("all mistakes of the users file are told at once") {
  const std::string text = fault("nonsense\na:" + kHash + "\nb:secret\n");
  CHECK(text.starts_with("users:1: "));
  CHECK(text.find("\nusers:3: ") != std::string::npos);
}

TEST_CASE("an empty users file lets nobody in") {
  const auto users = parse_users("", "users");
  REQUIRE(users.has_value());
  CHECK(users->count() == 0);
}

TEST_CASE("a mistake in the users file is named with its line") {
  CHECK(fault("a:" + kHash + "\nnonsense\n").starts_with("users:2: a line is name:hash"));
  CHECK(fault(":" + kHash).starts_with("users:1: a user needs a name"));
  CHECK(fault("a:secret\n").starts_with("users:1: what follows the colon is not a password hash"));
  CHECK(fault("a:" + kHash + ":\n").starts_with("users:1: a group needs a name"));
  CHECK(fault("a:" + kHash + ":x,\n").starts_with("users:1: a group needs a name"));
  CHECK(fault("a:" + kHash + ":x:y\n").starts_with("users:1: a group's name cannot have a colon"));
  CHECK(
      fault("a:" + kHash + "\n#\na:" + kHash).starts_with("users:3: the user a is there a second"));
  CHECK(fault(" a:" + kHash).starts_with("users:1: a user's name cannot begin or end blank"));
  CHECK(fault("a\tb:" + kHash).starts_with("users:1: a user's name cannot have control"));
}

TEST_CASE("no error of the users file shows a hash") {
  CHECK(fault("a:" + kHash + "\na:" + kHash).find(kHash) == std::string::npos);
  CHECK(fault("a:x" + kHash).find(kHash) == std::string::npos);
}

TEST_CASE("a users file that is not there is said to be missing") {
  const auto loaded = load_users("/nowhere/users");
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().code == storage::ErrorCode::kNotFound);
}

TEST_CASE("a users file that everybody can read gets a warning") {
  const TestFolder folder;
  write(folder.file("users"), "a:" + kHash + "\n");
  ::chmod(folder.file("users").c_str(), 0640);
  REQUIRE(load_users(folder.file("users")).has_value());
  CHECK(load_users(folder.file("users"))->warnings.empty());
  ::chmod(folder.file("users").c_str(), 0644);
  REQUIRE(load_users(folder.file("users")).has_value());
  CHECK_FALSE(load_users(folder.file("users"))->warnings.empty());
}

TEST_CASE("the first user makes the file, for its owner alone") {
  const TestFolder folder;
  REQUIRE(put_user(folder.file("users"), "puppet", {kHash, std::nullopt}).has_value());
  CHECK(read(folder.file("users")) == "puppet:" + kHash + "\n");
  struct stat status {};
  REQUIRE(::stat(folder.file("users").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600);
  CHECK(count_files(folder) == 1);
}

TEST_CASE("a changed passcode keeps comments, order and mode of the file") {
  const TestFolder folder;
  const auto other = hash_password("other");
  REQUIRE(other.has_value());
  write(folder.file("users"), "# ours\na:" + kHash + "\nab:" + kHash + "\n\nb:" + kHash);
  ::chmod(folder.file("users").c_str(), 0640);
  REQUIRE(put_user(folder.file("users"), "a", {*other, std::nullopt}).has_value());
  CHECK(read(folder.file("users")) ==
        "# ours\na:" + *other + "\nab:" + kHash + "\n\nb:" + kHash + "\n");
  struct stat status {};
  REQUIRE(::stat(folder.file("users").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0640);
  CHECK(count_files(folder) == 1);
}

TEST_CASE("a user that is taken out is gone, and the others stay") {
  const TestFolder folder;
  write(folder.file("users"), "a:" + kHash + "\n# between\nb:" + kHash + "\n");
  REQUIRE(remove_user(folder.file("users"), "a").has_value());
  CHECK(read(folder.file("users")) == "# between\nb:" + kHash + "\n");
  const auto again = remove_user(folder.file("users"), "a");
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == storage::ErrorCode::kNotFound);
}

TEST_CASE("a users file with a mistake is not rewritten") {
  const TestFolder folder;
  write(folder.file("users"), "nonsense\n");
  CHECK_FALSE(put_user(folder.file("users"), "a", {kHash, std::nullopt}).has_value());
  CHECK_FALSE(remove_user(folder.file("users"), "a").has_value());
  CHECK(read(folder.file("users")) == "nonsense\n");
}

TEST_CASE("a new passcode keeps the groups and new groups keep the passcode") {
  const TestFolder folder;
  const std::string path = folder.file("users");
  const auto other = hash_password("other");
  REQUIRE(other.has_value());
  REQUIRE(put_user(path, "a", {kHash, std::vector<std::string>{"x", "y"}}).has_value());
  REQUIRE(put_user(path, "a", {*other, std::nullopt}).has_value());
  CHECK(read(path) == "a:" + *other + ":x,y\n");
  REQUIRE(put_user(path, "a", {std::nullopt, std::vector<std::string>{"z"}}).has_value());
  CHECK(read(path) == "a:" + *other + ":z\n");
  REQUIRE(put_user(path, "a", {std::string(kNoPasscode), std::vector<std::string>{}}).has_value());
  CHECK(read(path) == "a:-\n");
  REQUIRE(put_user(path, "a", {std::nullopt, std::vector<std::string>{"w"}}).has_value());
  CHECK(read(path) == "a:-:w\n");
}

TEST_CASE("nobody's passcode can be kept") {
  const TestFolder folder;
  const auto put = put_user(folder.file("users"), "a", {std::nullopt, std::vector<std::string>{}});
  REQUIRE_FALSE(put.has_value());
  CHECK(put.error().code == storage::ErrorCode::kNotFound);
  CHECK(count_files(folder) == 0);
}

TEST_CASE("a group that the file cannot hold is refused") {
  const TestFolder folder;
  for (const char* group : {"", "a:b", "a,b", " a", "a\n"}) {
    CAPTURE(group);
    CHECK_FALSE(
        put_user(folder.file("users"), "a", {kHash, std::vector<std::string>{group}}).has_value());
  }
  CHECK(count_files(folder) == 0);
}

TEST_CASE("a name that the file cannot hold is refused") {
  const TestFolder folder;
  for (const char* name : {"", "a:b", "#a", " a", "a\n"}) {
    CAPTURE(name);
    CHECK_FALSE(put_user(folder.file("users"), name, {kHash, std::nullopt}).has_value());
  }
  CHECK(count_files(folder) == 0);
}

}  // namespace
}  // namespace stompbox::access

#include "broker/faces/process.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>

#include "tests/support/test_folder.h"

namespace stompbox::faces {
namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE(
    "a pid file is the decimal number without a line feed, over a stale one, and goes again") {
  const support::TestFolder folder;
  const std::string path = folder.file("pid");
  std::ofstream(path) << "999999999999\n";
  REQUIRE(write_pid_file(path).has_value());
  CHECK(contents(path) == std::to_string(::getpid()));
  remove_pid_file(path);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a pid file that another process wrote since is left alone") {
  const support::TestFolder folder;
  const std::string path = folder.file("pid");
  REQUIRE(write_pid_file(path).has_value());
  std::ofstream(path) << "1";
  remove_pid_file(path);
  CHECK(contents(path) == "1");
}

TEST_CASE("a pid file in a folder that is not there is an error that names it") {
  const support::TestFolder folder;
  const auto status = write_pid_file(folder.file("none/pid"));
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().text.find("none/pid") != std::string::npos);
  CHECK(write_pid_file("").has_value());
}

TEST_CASE("folders are made one level each, those that are there stay") {
  const support::TestFolder folder;
  REQUIRE(make_folders({folder.file("a"), folder.file("a/b"), folder.file("a")}).has_value());
  CHECK(std::filesystem::is_directory(folder.file("a/b")));
  CHECK_FALSE(make_folders({folder.file("x/y")}).has_value());
}

TEST_CASE("who we are already we may always become, nobody's name is refused") {
  CHECK(become("", "").has_value());
  CHECK(become(std::to_string(::geteuid()), std::to_string(::getegid())).has_value());
  CHECK_FALSE(become("no-such-user-here", "").has_value());
  CHECK_FALSE(become("", "no-such-group-here").has_value());
}

}  // namespace
}  // namespace stompbox::faces

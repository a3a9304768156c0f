#include "broker/faces/process.h"

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
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

// What a process of its own says, as its exit code.
int in_a_process(int (*work)()) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(work());
  int state = 0;
  REQUIRE(::waitpid(child, &state, 0) == child);
  REQUIRE(WIFEXITED(state));
  return WEXITSTATUS(state);
}

TEST_CASE("a user who is only a number has no groups of root's") {
  constexpr int kRight = 0;
  CHECK(in_a_process([] {
          const std::array<gid_t, 2> of_root = {0, 4242};
          const bool is_root = ::setgroups(of_root.size(), of_root.data()) == 0;
          const bool became = become("4243", "4244").has_value();
          // Nobody else may become somebody.
          if (!is_root) return became ? 1 : kRight;
          std::array<gid_t, 16> groups{};
          const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
          const bool only_own = count == 1 && groups[0] == 4244;
          return became && only_own && ::geteuid() == 4243 ? kRight : 2;
        }) == kRight);
}

}  // namespace
}  // namespace stompbox::faces

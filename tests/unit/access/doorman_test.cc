#include "broker/doorman.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "broker/access/passwords.h"
#include "tests/support/test_folder.h"

namespace stompbox {
namespace {

using session::LoginResult;
using std::chrono::milliseconds;

// A doorman with one user, "puppet" with the passcode "secret".
class Door {
 public:
  explicit Door(access::AccessOptions options = {}, milliseconds hold = milliseconds(1500)) {
    write_users("secret");
    options.users_file = folder_.file("users");
    doorman.emplace(io, options, hold);
    REQUIRE(doorman->load_files().has_value());
  }

  void write_users(const std::string& passcode) {
    const auto hash = access::hash_password(passcode);
    REQUIRE(hash.has_value());
    std::ofstream(folder_.file("users")) << "puppet:" << *hash << "\n";
  }
  void ask(const std::string& login, const std::string& passcode,
           const std::string& host = "192.0.2.1") {
    net::Visitor visitor;
    visitor.host = host;
    doorman->check(visitor, {login, passcode, {}, {}}, [this](const session::Admitted& admitted) {
      answers.push_back(admitted.result);
    });
  }
  [[nodiscard]] bool run_until(const std::function<bool()>& reached) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!reached()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      io.restart();
      io.run_for(milliseconds(1));
    }
    return true;
  }
  [[nodiscard]] bool run_until_answers(std::size_t count) {
    return run_until([this, count] { return answers.size() >= count; });
  }

  asio::io_context io{1};
  std::optional<Doorman> doorman;
  std::vector<LoginResult> answers;

 private:
  support::TestFolder folder_;
};

TEST_CASE("without a users file everybody is welcome at once") {
  asio::io_context io;
  Doorman doorman(io, {}, milliseconds(1500));
  REQUIRE(doorman.load_files().has_value());
  std::optional<LoginResult> answer;
  net::Visitor visitor;
  visitor.host = "192.0.2.1";
  doorman.check(visitor, {}, [&answer](const session::Admitted& in) { answer = in.result; });
  CHECK(answer == LoginResult::kWelcome);
}

TEST_CASE("the right passcode is welcome and nothing else is") {
  Door door;
  door.ask("puppet", "secret");
  REQUIRE(door.run_until_answers(1));
  door.ask("puppet", "Secret");
  REQUIRE(door.run_until_answers(2));
  door.ask("nobody", "secret");
  REQUIRE(door.run_until_answers(3));
  door.ask("", "");
  REQUIRE(door.run_until_answers(4));
  CHECK(door.answers == std::vector<LoginResult>{LoginResult::kWelcome, LoginResult::kWrong,
                                                 LoginResult::kWrong, LoginResult::kWrong});
}

TEST_CASE("a passcode that was right once is answered without a hash") {
  Door door;
  door.ask("puppet", "secret");
  CHECK(door.answers.empty());
  REQUIRE(door.run_until_answers(1));
  for (int i = 0; i < 1000; ++i)
    door.ask("puppet", "secret");
  CHECK(door.answers == std::vector<LoginResult>(1001, LoginResult::kWelcome));
}

TEST_CASE("a changed users file holds after it was read again") {
  Door door;
  door.ask("puppet", "secret");
  REQUIRE(door.run_until_answers(1));
  door.write_users("other");
  door.doorman->reload_files();
  REQUIRE(door.run_until([&door] {
    door.answers.clear();
    door.ask("puppet", "secret");
    return door.run_until_answers(1) && door.answers.front() == LoginResult::kWrong;
  }));
  door.answers.clear();
  door.ask("puppet", "other");
  REQUIRE(door.run_until_answers(1));
  CHECK(door.answers.front() == LoginResult::kWelcome);
}

TEST_CASE("an address has a few checks under way and is told to try later beyond") {
  access::AccessOptions options;
  options.checks_per_address_max = 2;
  Door door(options);
  for (int i = 0; i < 5; ++i)
    door.ask("puppet", "wrong" + std::to_string(i));
  CHECK(door.answers == std::vector<LoginResult>(3, LoginResult::kTryLater));
  door.ask("puppet", "wrong", "192.0.2.2");
  CHECK(door.answers.size() == 3);
  REQUIRE(door.run_until_answers(6));
  door.ask("puppet", "secret");
  REQUIRE(door.run_until_answers(7));
  CHECK(door.answers.back() == LoginResult::kWelcome);
}

TEST_CASE("an address that fails again is held longer, its neighbour is not") {
  access::AccessOptions options;
  options.failure_hold_max = milliseconds(100);
  Door door(options, milliseconds(15));
  const auto hold = [&door](const char* host) { return door.doorman->error_hold(host); };
  std::vector<milliseconds> holds;
  for (std::size_t failures = 1; failures <= 4; ++failures) {
    door.ask("puppet", "wrong");
    REQUIRE(door.run_until_answers(failures));
    holds.push_back(hold("192.0.2.1"));
  }
  // The first may be a slip: it is held as every ERROR is.
  CHECK(holds == std::vector<milliseconds>{milliseconds(15), milliseconds(30), milliseconds(60),
                                           milliseconds(100)});
  CHECK(hold("192.0.2.2") == milliseconds(15));
  door.ask("puppet", "secret");
  REQUIRE(door.run_until_answers(5));
  CHECK(hold("192.0.2.1") == milliseconds(15));
}

TEST_CASE("who fails again and comes back at once is answered when his hold is over") {
  access::AccessOptions options;
  options.checks_per_address_max = 2;
  Door door(options, milliseconds(500));
  door.ask("puppet", "wrong");
  REQUIRE(door.run_until_answers(1));
  const auto held_from = std::chrono::steady_clock::now();
  door.ask("puppet", "wrong");
  REQUIRE(door.run_until_answers(2));
  // As many guesses as an address may have checked at once, the next ones do not count.
  door.ask("puppet", "guess");
  door.ask("puppet", "another");
  door.ask("puppet", "secret");
  CHECK(door.answers.back() == LoginResult::kTryLater);
  door.ask("puppet", "wrong", "192.0.2.2");
  REQUIRE(door.run_until_answers(4));
  CHECK(door.answers.back() == LoginResult::kWrong);
  REQUIRE(door.run_until_answers(5));
  CHECK(std::chrono::steady_clock::now() - held_from >= milliseconds(1000));
  CHECK(door.answers.back() == LoginResult::kWrong);
  door.ask("puppet", "secret");
  CHECK(door.run_until([&door] {
    return std::count(door.answers.begin(), door.answers.end(), LoginResult::kWelcome) == 1;
  }));
}

TEST_CASE("with plain files, too, who fails again waits for the end of his hold") {
  const support::TestFolder folder;
  std::ofstream(folder.file(".passwd")) << "bob:secret\n";
  access::AccessOptions options;
  options.plain_users_file = folder.file(".passwd");
  options.checks_per_address_max = 1;
  asio::io_context io{1};
  Doorman doorman(io, options, milliseconds(1500));
  REQUIRE(doorman.load_files().has_value());
  std::vector<LoginResult> answers;
  const auto ask = [&](const char* passcode) {
    net::Visitor visitor;
    visitor.host = "192.0.2.1";
    doorman.check(visitor, {"bob", passcode, {}, {}},
                  [&answers](const session::Admitted& in) { answers.push_back(in.result); });
  };
  for (const char* passcode : {"a", "b", "c", "secret"})
    ask(passcode);
  CHECK(answers ==
        std::vector<LoginResult>{LoginResult::kWrong, LoginResult::kWrong, LoginResult::kTryLater});
}

TEST_CASE("with IPv6 failures count for the network that one peer has for itself") {
  Door door;
  for (std::size_t failures = 1; failures <= 2; ++failures) {
    door.ask("puppet", "wrong", "2001:db8:1:2::" + std::to_string(failures));
    REQUIRE(door.run_until_answers(failures));
  }
  CHECK(door.doorman->error_hold("2001:db8:1:2:ffff::9") == milliseconds(3000));
  CHECK(door.doorman->error_hold("2001:db8:1:3::3") == milliseconds(1500));
}

// The least of the processor's time that an answer to a wrong passcode takes, each from an address
// of its own: what else the machine does does not count.
std::clock_t cost_of_answer(Door& door, const std::string& login) {
  std::clock_t least = std::numeric_limits<std::clock_t>::max();
  for (int i = 0; i < 3; ++i) {
    const std::size_t before = door.answers.size();
    const std::clock_t asked = std::clock();
    door.ask(login, "wrong", login + std::to_string(i));
    REQUIRE(door.run_until_answers(before + 1));
    least = std::min(least, std::clock() - asked);
  }
  return least;
}

TEST_CASE("the clock does not tell who has a passcode in a plain file beside one of hashes") {
  const support::TestFolder folder;
  std::ofstream(folder.file(".passwd")) << "bob:secret\n";
  access::AccessOptions options;
  options.plain_users_file = folder.file(".passwd");
  Door door(options);
  const std::clock_t unknown = cost_of_answer(door, "nobody");
  CHECK(cost_of_answer(door, "bob") >= unknown / 4);
  CHECK(cost_of_answer(door, "puppet") >= unknown / 4);
}

TEST_CASE("with plain files alone nobody's login costs a hash, known or not") {
  const support::TestFolder folder;
  std::ofstream(folder.file(".passwd")) << "bob:secret\n";
  access::AccessOptions options;
  options.plain_users_file = folder.file(".passwd");
  asio::io_context io{1};
  Doorman doorman(io, options, milliseconds(1500));
  REQUIRE(doorman.load_files().has_value());
  for (const char* login : {"bob", "nobody"}) {
    std::optional<LoginResult> answer;
    net::Visitor visitor;
    visitor.host = login;
    // At once: no other thread is asked.
    doorman.check(visitor, {login, "wrong", {}, {}},
                  [&answer](const session::Admitted& in) { answer = in.result; });
    CHECK(answer == LoginResult::kWrong);
  }
}

TEST_CASE("a doorman that goes while checks are under way leaves nothing behind") {
  Door door;
  for (int i = 0; i < 4; ++i)
    door.ask("puppet", "wrong");
  door.doorman.reset();
  CHECK(door.answers.empty());
}

}  // namespace
}  // namespace stompbox

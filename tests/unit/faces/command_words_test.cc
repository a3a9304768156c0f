#include "broker/faces/command_words.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace stompbox::faces {
namespace {

const SwitchRow kRows[] = {
    {'p', "port", "PORT", ""},     {'b', "host", "ADDR", ""}, {'w', "working_dir", "DIR", ""},
    {'d', "debug", "", ""},        {'a', "auth", "", ""},     {'D', "logdir", "DIR", ""},
    {'\0', "logfile", "FILE", ""}, {'h', "help", "", ""},
};

// What was understood as "name=value name ... | others", or the complaint.
std::string read(const std::vector<std::string>& words) {
  const auto found = read_command_words(kRows, words);
  if (!found) return found.error().text;
  std::string text;
  for (const GivenSwitch& given : found->switches) {
    const SwitchRow& row = kRows[given.row];
    text += std::string(row.name) + (row.placeholder.empty() ? "" : "=" + given.value) + " ";
  }
  text += "|";
  for (const std::string& other : found->others)
    text += " " + other;
  return text;
}

// Each expectation is what OptionParser of Ruby 3.1 does with the same table.
TEST_CASE("letters come alone, in bundles and with their value") {
  CHECK(read({"-ad"}) == "auth debug |");
  CHECK(read({"-adp", "61613"}) == "auth debug port=61613 |");
  CHECK(read({"-p61613"}) == "port=61613 |");
  CHECK(read({"-p", "61613"}) == "port=61613 |");
  CHECK(read({"-p=61613"}) == "port==61613 |");
  CHECK(read({"-work", "x"}) == "working_dir=ork | x");
}

TEST_CASE("long names take their value behind a sign or as the next word") {
  CHECK(read({"--port=61613"}) == "port=61613 |");
  CHECK(read({"--port", "61613"}) == "port=61613 |");
  CHECK(read({"--port="}) == "port= |");
  CHECK(read({"--host", "-x"}) == "host=-x |");
  CHECK(read({"--host=a=b"}) == "host=a=b |");
}

TEST_CASE("any unique beginning of a long name is enough") {
  CHECK(read({"--work", "x"}) == "working_dir=x |");
  CHECK(read({"--logd=x"}) == "logdir=x |");
  CHECK(read({"--working-dir", "x"}) == "working_dir=x |");
  CHECK(read({"--WORK=x"}) == "working_dir=x |");
  CHECK(read({"--log", "x"}) == "ambiguous option: --log");
  CHECK(read({"--h"}) == "ambiguous option: --h");
}

TEST_CASE("words that are no options may stand anywhere") {
  CHECK(read({"foo", "-a", "bar"}) == "auth | foo bar");
  CHECK(read({"-"}) == "| -");
  CHECK(read({"-a", "--", "-d", "x"}) == "auth | -d x");
  CHECK(read({}) == "|");
}

TEST_CASE("what cannot be understood is one sentence with the word") {
  CHECK(read({"-x"}) == "invalid option: -x");
  CHECK(read({"-axd"}) == "invalid option: -xd");
  CHECK(read({"-P", "1"}) == "invalid option: -P");
  CHECK(read({"--xx"}) == "invalid option: --xx");
  CHECK(read({"--no-auth"}) == "invalid option: --no-auth");
  CHECK(read({"--debug=1"}) == "needless argument: --debug=1");
  CHECK(read({"-p"}) == "missing argument: -p");
  CHECK(read({"--port"}) == "missing argument: --port");
}

TEST_CASE("the help shows every option with its letter, name and value") {
  const std::string text = describe_switches(kRows);
  CHECK(text.find("    -p, --port=PORT") != std::string::npos);
  CHECK(text.find("        --logfile=FILE") != std::string::npos);
  CHECK(text.find("    -a, --auth ") != std::string::npos);
}

}  // namespace
}  // namespace stompbox::faces

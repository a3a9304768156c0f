#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include <CLI/CLI.hpp>

#include <doctest/doctest.h>

#include "broker/options/options_cli.h"
#include "broker/options/options_file.h"
#include "broker/options/options_table.h"

// The table of options, the sample configuration, the man page and --help say the same.
namespace stompbox::options {
namespace {

std::string read_file(const std::string& name) {
  std::ifstream file(std::string(STOMPBOX_PACKAGING) + "/" + name, std::ios::binary);
  REQUIRE(file.is_open());
  return {std::istreambuf_iterator<char>(file), {}};
}

// One blank for any run of blanks and ends of lines, so that lines may be broken anywhere.
std::string one_line(const std::string& text) {
  std::string joined;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\t';
    if (blank && (joined.empty() || joined.back() == ' ')) continue;
    joined += blank ? ' ' : c;
  }
  return joined;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// As roff wants it: hyphens of flags and backslashes are escaped.
std::string roff(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '-' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

TEST_CASE("the sample configuration is what the options are without it") {
  CHECK(one_line(read_file("stompbox.toml")).find(one_line(sample_toml(Options{}))) !=
        std::string::npos);
}

TEST_CASE("the sample configuration sets every option to its default") {
  Options options;
  const auto status = apply_toml(options, read_file("stompbox.toml"), "stompbox.toml");
  REQUIRE_MESSAGE(status.has_value(), (status ? "" : status.error().text));
  CHECK(show_toml(options) == show_toml(Options{}));
}

TEST_CASE("the help of serve or drain shows every option with its sentence") {
  CLI::App app;
  GivenFlags given;
  add_serve_flags(app, given);
  CLI::App drain;
  GivenFlags given_drain;
  add_drain_flags(drain, given_drain);
  const std::string help = one_line(app.help()) + one_line(drain.help());
  for (const Row& row : table()) {
    CAPTURE(row.key);
    CHECK(contains(help, std::string(row.flag)));
    CHECK(contains(help, one_line(std::string(row.help))));
  }
}

TEST_CASE("the man page has every option with key, flag, default and sentence") {
  const std::string page = read_file("stompbox.1");
  for (const Row& row : table()) {
    CAPTURE(row.key);
    std::string entry = ".TP\n.B " + roff(row.flag);
    if (const std::string value = placeholder_of(row.field); !value.empty()) {
      entry += " \\fI" + roff(value) + "\\fR";
    }
    entry += "\n" + roff(row.help) + "\n";
    CHECK(contains(page, entry));
    CHECK(contains(page, "\\fB" + roff(row.key) + "\\fR"));
  }
}

TEST_CASE("the man page has no option that does not exist") {
  const std::string page = read_file("stompbox.1");
  std::size_t entries = 0;
  for (std::size_t at = page.find(".TP\n.B \\-\\-"); at != std::string::npos;
       at = page.find(".TP\n.B \\-\\-", at + 1)) {
    ++entries;
  }
  constexpr std::size_t kConfig = 1;  // --config is no key of the file
  CHECK(entries == table().size() + kConfig);
}

}  // namespace
}  // namespace stompbox::options

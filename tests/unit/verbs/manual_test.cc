#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "broker/options/options_table.h"
#include "broker/verbs/verbs_cli.h"

// The verbs that the program takes, its man page and the README say the same.
namespace stompbox::verbs {
namespace {

std::string read_file(const std::string& name) {
  std::ifstream file(std::string(STOMPBOX_SOURCE) + "/" + name, std::ios::binary);
  REQUIRE(file.is_open());
  return {std::istreambuf_iterator<char>(file), {}};
}

// As roff wants it.
std::string roff(const std::string& text) {
  std::string escaped;
  for (const char c : text)
    escaped += c == '-' ? std::string("\\-") : std::string(1, c);
  return escaped;
}

// What the man page says of the verbs, all in all.
std::string verbs_section() {
  const std::string page = read_file("packaging/stompbox.1");
  const auto begin = page.find("\n.SH VERBS\n");
  const auto end = page.find("\n.SH ", begin + 1);
  REQUIRE(begin != std::string::npos);
  return page.substr(begin, end - begin);
}

// Whole: "--from" does not stand in "--from-now".
bool has_word(const std::string& text, const std::string& word) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const char behind = at + word.size() < text.size() ? text[at + word.size()] : '\n';
    const bool ends = std::string_view("\n ,.;)]\\").find(behind) != std::string_view::npos;
    if (ends && text.compare(at + word.size(), 2, "\\-") != 0) return true;
  }
  return false;
}

bool is_option_of_serve(const std::string& flag) {
  for (const options::Row& row : options::table()) {
    if (row.flag == flag) return true;
  }
  return flag == "--config" || flag == "--help";
}

class AllVerbs {
 public:
  AllVerbs() {
    add_server_verbs(app_, verbs_);
    add_message_verbs(app_, verbs_);
    add_broker_verbs(app_, verbs_);
    add_catalog_verbs(app_, verbs_);
    add_store_verbs(app_, verbs_);
  }
  [[nodiscard]] std::vector<const CLI::App*> top() const { return app_.get_subcommands({}); }

 private:
  CLI::App app_;
  CliVerbs verbs_;
};

void check_flags(const std::string& manual, const CLI::App& verb) {
  for (const CLI::Option* option : verb.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      const std::string flag = "--" + name;
      if (is_option_of_serve(flag)) continue;
      CAPTURE(flag);
      CHECK(has_word(manual, roff(flag)));
    }
  }
}

TEST_CASE("the man page has every verb with every flag of its own") {
  const std::string manual = verbs_section();
  const AllVerbs all;
  for (const CLI::App* verb : all.top()) {
    const std::string name = verb->get_name();
    CAPTURE(name);
    CHECK(has_word(manual, ".B stompbox " + roff(name)));
    check_flags(manual, *verb);
    for (const CLI::App* inner : verb->get_subcommands({})) {
      CAPTURE(inner->get_name());
      CHECK(has_word(manual, roff(name + " " + inner->get_name())));
      check_flags(manual, *inner);
    }
  }
}

TEST_CASE("the README has every verb") {
  const std::string readme = read_file("README.md");
  const AllVerbs all;
  for (const CLI::App* verb : all.top()) {
    CAPTURE(verb->get_name());
    CHECK(readme.find("`" + verb->get_name() + "`") != std::string::npos);
  }
}

TEST_CASE("every verb has an example in its help, or stands below one that has") {
  const AllVerbs all;
  for (const CLI::App* verb : all.top()) {
    CAPTURE(verb->get_name());
    CHECK(verb->get_footer().find("xample") != std::string::npos);
  }
}

}  // namespace
}  // namespace stompbox::verbs

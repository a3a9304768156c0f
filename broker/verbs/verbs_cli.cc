#include "broker/verbs/verbs_cli.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>

#include "broker/options/nearest.h"
#include "broker/verbs/status.h"
#include "broker/verbs/terminal.h"
#include "broker/verbs/verbs.h"
#include "stompbox_version.h"

namespace stompbox::verbs {
namespace {

constexpr int kMisuse = static_cast<int>(Exit::kMisuse);

constexpr const char* kAbout =
    "Stompbox: a STOMP broker with built-in Puppet storeconfigs, in one process with one folder of "
    "data.\nWithout a verb it serves.";

constexpr const char* kFooter =
    "Examples:\n"
    "  stompbox serve --data /var/lib/stompbox\n"
    "  stompbox send catalog --file web1.pson --receipt\n"
    "  stompbox status\n"
    "  stompbox resources sshkey --exported\n\n"
    "'stompbox VERB --help' tells the rest. Exit codes: 0 done, 1 failed, 2 misuse.";

using Arguments = std::vector<std::string>;

std::string suggestion(const std::string& word, const std::vector<std::string>& candidates) {
  const std::vector<std::string_view> views(candidates.begin(), candidates.end());
  const std::string near = options::nearest(word, views);
  return near.empty() ? "" : ": did you mean '" + near + "'?";
}

int misuse(const std::string& sentence, const std::string& command) {
  complain(sentence + "\nTry '" + command + " --help'.");
  return kMisuse;
}

const CLI::App* find_verb(const CLI::App& app, const std::string& name) {
  for (const CLI::App* verb : app.get_subcommands({})) {
    if (verb->get_name() == name) return verb;
  }
  return nullptr;
}

// A word where a verb should stand, and none is called so. `depth` words before it are right.
const CLI::App* verb_before(const CLI::App& app, const Arguments& arguments, std::size_t depth) {
  const CLI::App* at = &app;
  for (std::size_t i = 0; i < depth; ++i) {
    at = find_verb(*at, arguments[i]);
    if (at == nullptr) return nullptr;
  }
  return at->get_subcommands({}).empty() ? nullptr : at;
}

// Nothing, or the exit code after the complaint.
std::optional<int> find_unknown_verb(const CLI::App& app, const Arguments& arguments) {
  std::string command = "stompbox";
  for (std::size_t depth = 0; depth < arguments.size(); ++depth) {
    const std::string& word = arguments[depth];
    const CLI::App* const before = verb_before(app, arguments, depth);
    if (before == nullptr || word.starts_with('-')) return std::nullopt;
    if (find_verb(*before, word) == nullptr) {
      return misuse("there is no verb '" + word + "'" + suggestion(word, verb_names(*before)),
                    command);
    }
    command += " " + word;
  }
  return std::nullopt;
}

const CLI::App& deepest(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : deepest(*chosen.back());
}

std::string command_of(const CLI::App& app) {
  const CLI::App* const parent = app.get_parent();
  return parent == nullptr ? "stompbox" : command_of(*parent) + " " + app.get_name();
}

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames())
      names.push_back("--" + name);
  }
  return names;
}

// "Could not convert: --count = many", as CLI11 says it.
std::string sentence_of(const CLI::ParseError& error) {
  const std::string text = error.what();
  const auto name = text.find("--");
  const auto middle = text.find(" = ");
  if (dynamic_cast<const CLI::ConversionError*>(&error) == nullptr || name == std::string::npos ||
      middle == std::string::npos || middle < name) {
    return text;
  }
  return text.substr(name, middle - name) + " takes a number, not '" + text.substr(middle + 3) +
         "'";
}

// Nagios takes the exit code of a misuse for CRITICAL.
bool is_nagios_check(const Arguments& arguments) {
  return !arguments.empty() && arguments.front() == "status" &&
         std::any_of(arguments.begin(), arguments.end(), [](const std::string& word) {
           return word == "--check" || word == "--nagios";
         });
}

int misuse_of(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& verb = deepest(app);
  const std::vector<std::string> extras = app.remaining(true);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr || extras.empty()) {
    return misuse(sentence_of(error), command_of(verb));
  }
  const std::string word = extras.front().substr(0, extras.front().find('='));
  if (!word.starts_with('-')) {
    return misuse("'" + word + "' is one word too many", command_of(verb));
  }
  return misuse("there is no flag " + word + suggestion(word, flag_names(verb)), command_of(verb));
}

// Help or version, as asked for.
int show(const CLI::App& app, const CLI::Success& wish) {
  std::ostringstream out;
  std::ostringstream errors;
  const int code = app.exit(wish, out, errors);
  print(out.str());
  return code;
}

int act(const CLI::App& app, const CliVerbs& verbs) {
  const CLI::App& chosen = deepest(app);
  const auto verb = std::find_if(verbs.begin(), verbs.end(),
                                 [&chosen](const CliVerb& one) { return one.app == &chosen; });
  if (verb != verbs.end()) return verb->act();
  std::string names;
  for (const std::string& name : verb_names(chosen))
    names += (names.empty() ? "" : ", ") + name;
  return misuse("'" + chosen.get_name() + "' needs one of: " + names, command_of(chosen));
}

// The words behind the program's name; `serve` is the verb of a command line that has none.
Arguments take_arguments(int argc, char** argv) {
  Arguments arguments(argv + std::min(argc, 1), argv + argc);
  constexpr std::string_view kOfTheProgram[] = {"--help", "-h", "--version"};
  const bool of_program =
      !arguments.empty() && std::find(std::begin(kOfTheProgram), std::end(kOfTheProgram),
                                      arguments.front()) != std::end(kOfTheProgram);
  if (arguments.empty() || (arguments.front().starts_with('-') && !of_program)) {
    arguments.insert(arguments.begin(), "serve");
  }
  return arguments;
}

// Making all their flags takes longer than a broker takes to be ready.
void add_other_verbs(CLI::App& app, CliVerbs& verbs) {
  add_message_verbs(app, verbs);
  add_broker_verbs(app, verbs);
  add_catalog_verbs(app, verbs);
  add_store_verbs(app, verbs);
}

int run_arguments(Arguments arguments) {
  CLI::App app(kAbout, "stompbox");
  app.footer(kFooter);
  app.set_version_flag("--version", "stompbox " STOMPBOX_VERSION);
  app.get_formatter()->column_width(36);
  CliVerbs verbs;
  add_server_verbs(app, verbs);
  if (arguments.front() != "serve") add_other_verbs(app, verbs);
  if (const auto code = find_unknown_verb(app, arguments)) return *code;
  const bool for_nagios = is_nagios_check(arguments);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(arguments);
  } catch (const CLI::Success& wish) {
    return show(app, wish);
  } catch (const CLI::ParseError& error) {
    const int code = misuse_of(app, error);
    return for_nagios ? unknown_status("the plug-in is misused: " + sentence_of(error)) : code;
  }
  return act(app, verbs);
}

}  // namespace

std::vector<std::string> verb_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands({}))
    names.push_back(verb->get_name());
  return names;
}

int run(int argc, char** argv) {
  return run_arguments(take_arguments(argc, argv));
}

}  // namespace stompbox::verbs

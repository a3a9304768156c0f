#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/verbs/catalogs.h"
#include "broker/verbs/verbs_cli.h"
#include "broker/verbs/verbs_cli_place.h"

// The flags of the verbs that read the catalog database.
namespace stompbox::verbs {
namespace {

void add_nodes(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb = app.add_subcommand("nodes", "List the nodes of the catalog database.");
  verb->footer(
      "LAG is how long the last catalog lay at the broker before it was stored.\n"
      "Example:\n  stompbox nodes --catalog-store sqlite:/var/lib/stompbox/catalogs.sqlite");
  const PlacePtr place = add_place(*verb);
  verbs.push_back({verb, with_options(place, [place](const Options& options) {
                     return code(nodes(options, place->output()));
                   })});
}

// "yes" or "no"; nothing: both.
struct ResourceWish {
  catalog::ResourceQuery query;
  std::string exported;
  std::vector<std::string> parameters;
};

int run_resources(const Options& options, const ResourceWish& wish, Output output) {
  catalog::ResourceQuery query = wish.query;
  if (!wish.exported.empty()) query.exported = wish.exported == "yes";
  // A master collects what is exported.
  if (query.collector && !query.exported) query.exported = true;
  for (const std::string& text : wish.parameters) {
    auto parameter = parse_parameter(text);
    if (!parameter) return code(fail(parameter.error()));
    query.parameters.push_back(std::move(*parameter));
  }
  return code(resources(options, std::move(query), output));
}

void add_resources(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb = app.add_subcommand("resources", "Find resources in the catalog database.");
  verb->footer(
      "Conditions mean what they mean in a manifest's <<| |>>: --param of an array looks at each\n"
      "element, and NAME!=VALUE is true of what has another value. With --json the parameters and\n"
      "tags are shown too.\n"
      "Examples:\n  stompbox resources nagios_host --exported\n"
      "  stompbox resources sshkey --for web1.example.test --tag site\n"
      "  stompbox resources 'nagios_*' --param ensure!=absent\n"
      "  stompbox resources file --node web1.example.test --param mode=0644 --json");
  const PlacePtr place = add_place(*verb);
  auto wish = std::make_shared<ResourceWish>();
  const auto text = [verb](const char* name, std::optional<std::string>& value, const char* help,
                           const char* placeholder) {
    verb->add_option(name, value, help)->type_name(placeholder);
  };
  text("type", wish->query.type, "The type, as file or Apache::Vhost; * stands for any text.",
       "TYPE");
  text("--title", wish->query.title, "With this title.", "TITLE");
  text("--tag", wish->query.tag, "With this tag.", "TAG");
  text("--node", wish->query.node, "Of this node.", "NODE");
  text("--for", wish->query.collector, "Exported by others, as this node would collect them.",
       "NODE");
  verb->add_option("--exported", wish->exported, "Exported ones, or the others.")
      ->type_name("yes|no")
      ->check(CLI::IsMember({"yes", "no"}))
      ->expected(0, 1)
      ->default_str("yes");
  verb->add_option("--param", wish->parameters,
                   "With this value of a parameter, or with another one; may be repeated.")
      ->type_name("NAME=VALUE|NAME!=VALUE")
      ->allow_extra_args(false);
  verb->add_option("--count", wish->query.count_max, "So many at most.")
      ->type_name("N")
      ->capture_default_str();
  verbs.push_back({verb, with_options(place, [wish, place](const Options& options) {
                     return run_resources(options, *wish, place->output());
                   })});
}

void add_facts(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb = app.add_subcommand(
      "facts", "Show a node's facts from the catalog database, or who has a fact.");
  verb->footer(
      "Examples:\n  stompbox facts web1.example.test --json\n"
      "  stompbox facts --find operatingsystem=Debian\n  stompbox facts --find is_virtual");
  const PlacePtr place = add_place(*verb);
  struct Wish {
    std::string node, wanted;
  };
  auto wish = std::make_shared<Wish>();
  CLI::Option* node = verb->add_option("node", wish->node, "The node's name.");
  node->type_name("NODE");
  CLI::Option* wanted = verb->add_option("--find", wish->wanted,
                                         "The nodes that have this fact, or this value of it.");
  wanted->type_name("NAME[=VALUE]")->excludes(node);
  verbs.push_back({verb, with_options(place, [wish, place](const Options& options) {
                     if (!wish->wanted.empty()) {
                       return code(find_facts(options, wish->wanted, place->output()));
                     }
                     if (!wish->node.empty()) {
                       return code(facts(options, wish->node, place->output()));
                     }
                     return code(fail({storage::ErrorCode::kInvalid,
                                       "name a node, or a fact with --find NAME=VALUE"}));
                   })});
}

void add_diff(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb = app.add_subcommand("diff", "Show what the last catalog of a node changed.");
  verb->footer(
      "Of changed resources the names of their parameters are shown, of a node's first catalog\n"
      "only how many resources there were.\n"
      "Example:\n  stompbox diff web1.example.test");
  const PlacePtr place = add_place(*verb);
  auto node = std::make_shared<std::string>();
  verb->add_option("node", *node, "The node's name.")->required()->type_name("NODE");
  verbs.push_back({verb, with_options(place, [node, place](const Options& options) {
                     return code(diff(options, *node, place->output()));
                   })});
}

}  // namespace

void add_catalog_verbs(CLI::App& app, CliVerbs& verbs) {
  add_nodes(app, verbs);
  add_resources(app, verbs);
  add_facts(app, verbs);
  add_diff(app, verbs);
}

}  // namespace stompbox::verbs

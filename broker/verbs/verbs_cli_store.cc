#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "broker/verbs/forget.h"
#include "broker/verbs/store.h"
#include "broker/verbs/verbs_cli.h"
#include "broker/verbs/verbs_cli_place.h"

// The flags of the verbs that take care of the catalog database.
namespace stompbox::verbs {
namespace {

void add_check(CLI::App& store, const PlacePtr& parent, CliVerbs& verbs) {
  CLI::App* verb = store.add_subcommand("check", "Look for rows that masters would stumble over.");
  verb->footer(
      "Only reads, in short steps. Exit code 0: all rules hold; 1: some are broken.\n"
      "Example:\n  stompbox store check --examples 20");
  const PlacePtr place = add_place(*verb, Json::kOffered, parent);
  auto wish = std::make_shared<StoreCheckOptions>();
  verb->add_option("--examples", wish->examples_max, "So many examples of each.")
      ->type_name("N")
      ->capture_default_str();
  verbs.push_back({verb, with_wish(place, wish, &store_check)});
}

void add_repair(CLI::App& store, const PlacePtr& parent, CliVerbs& verbs) {
  CLI::App* verb = store.add_subcommand("repair", "Mend what 'store check' finds.");
  verb->footer(
      "Without --apply it says what it would do. A broker and masters may run beside it: one\n"
      "short transaction a node. --merge-names needs all masters stopped.\n"
      "Examples:\n  stompbox store repair\n  stompbox store repair --apply\n"
      "  stompbox store repair --thin --apply");
  const PlacePtr place = add_place(*verb, Json::kOffered, parent);
  auto wish = std::make_shared<StoreRepairOptions>();
  catalog::care::RepairOptions& repair = wish->repair;
  add_choice(*verb, "--apply", repair.mode, catalog::care::RepairMode::kApply, "Do it.");
  verb->add_flag("--merge-names", repair.merge_names,
                 "Delete second rows of names too. Only when no master runs.");
  verb->add_flag("--thin", repair.thin,
                 "Delete resources that are not exported too, for thin_storeconfigs.");
  verb->add_flag("--widen", repair.widen,
                 "MySQL: make room for values of more than 65,535 bytes; rewrites tables.");
  verb->add_option("--examples", repair.examples_max, "So many examples of each.")
      ->type_name("N")
      ->capture_default_str();
  verbs.push_back({verb, with_wish(place, wish, &store_repair)});
}

void add_stats(CLI::App& store, const PlacePtr& parent, CliVerbs& verbs) {
  CLI::App* verb = store.add_subcommand("stats", "Tell how much is in the database.");
  const PlacePtr place = add_place(*verb, Json::kOffered, parent);
  verbs.push_back({verb, with_options(place, [place](const Options& options) {
                     return code(store_stats(options, place->output()));
                   })});
}

void add_backup(CLI::App& store, const PlacePtr& parent, CliVerbs& verbs) {
  CLI::App* verb = store.add_subcommand("backup", "Copy a SQLite database that is in use.");
  verb->footer("Example:\n  stompbox store backup /backup/storeconfigs.sqlite3");
  const PlacePtr place = add_place(*verb, Json::kOffered, parent);
  auto wish = std::make_shared<StoreBackupOptions>();
  verb->add_option("file", wish->file, "Where the copy goes.")->required()->type_name("FILE");
  add_choice(*verb, "--force", wish->existing, catalog::care::Existing::kReplace,
             "Replace a file of that name.");
  verbs.push_back({verb, with_wish(place, wish, &store_backup)});
}

void add_export(CLI::App& store, const PlacePtr& parent, CliVerbs& verbs) {
  CLI::App* verb =
      store.add_subcommand("export", "Write catalogs and facts as JSON, a line a node.");
  verb->footer(
      "Example, from SQLite to MariaDB:\n  stompbox store export --data /var/lib/stompbox |\n"
      "    stompbox store import --catalog-store mysql://puppet@db1/puppet");
  const PlacePtr place = add_place(*verb, Json::kNone, parent);
  auto file = std::make_shared<std::string>("-");
  verb->add_option("file", *file, "Where the lines go; - is standard output.")
      ->type_name("FILE")
      ->capture_default_str();
  verbs.push_back({verb, with_options(place, [file](const Options& options) {
                     return code(store_export(options, *file));
                   })});
}

void add_import(CLI::App& store, const PlacePtr& parent, CliVerbs& verbs) {
  CLI::App* verb = store.add_subcommand("import", "Store the lines that 'store export' wrote.");
  verb->footer(
      "A damaged line is refused by its number, the others are stored; exit code 1 then.\n"
      "Example:\n  stompbox store import nodes.jsonl");
  const PlacePtr place = add_place(*verb, Json::kOffered, parent);
  auto wish = std::make_shared<StoreImportOptions>();
  verb->add_option("file", wish->file, "Where the lines are; - is standard input.")
      ->type_name("FILE")
      ->capture_default_str();
  add_choice(*verb, "--replace", wish->newer, catalog::care::Newer::kReplace,
             "Also nodes that were compiled later here.");
  verbs.push_back({verb, with_wish(place, wish, &store_import)});
}

void add_forget(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb = app.add_subcommand(
      "forget", "Take nodes out of the catalog database, as 'puppet node clean' does.");
  verb->footer(
      "A catalog that is queued already does not bring the node back, a later one does.\n"
      "Examples:\n  stompbox forget web1.example.test\n"
      "  stompbox forget --all-silent-for 90d --dry-run");
  const PlacePtr place = add_place(*verb);
  auto wish = std::make_shared<ForgetOptions>();
  CLI::Option* nodes = verb->add_option("nodes", wish->nodes, "The nodes' names.");
  nodes->type_name("NODE");
  CLI::Option* silent =
      add_duration(*verb, "--all-silent-for",
                   "All of which nothing has come for so long, as 30d, in place of names.",
                   [wish](std::chrono::milliseconds time) { wish->silent_for = time; });
  silent->excludes(nodes);
  verb->add_flag("--dry-run", wish->dry_run, "Only say which.")->needs(silent);
  verbs.push_back({verb, with_wish(place, wish, &forget)});
}

void add_unexport(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb = app.add_subcommand(
      "unexport", "Export all that nodes export as absent: collectors remove it.");
  verb->footer(
      "As 'puppet node clean --unexport' does it. When all collectors have run, forget the node.\n"
      "Example:\n  stompbox unexport web1.example.test");
  const PlacePtr place = add_place(*verb);
  auto nodes = std::make_shared<std::vector<std::string>>();
  verb->add_option("nodes", *nodes, "The nodes' names.")->required()->type_name("NODE");
  verbs.push_back({verb, with_options(place, [nodes, place](const Options& options) {
                     return code(unexport(options, *nodes, place->output()));
                   })});
}

}  // namespace

void add_store_verbs(CLI::App& app, CliVerbs& verbs) {
  CLI::App* store = app.add_subcommand("store", "Check, mend, measure, copy the catalog database.");
  store->footer(
      "Examples:\n  stompbox store check\n  stompbox store repair --apply\n"
      "  stompbox store export > nodes.jsonl");
  const PlacePtr place = add_place(*store);
  add_check(*store, place, verbs);
  add_repair(*store, place, verbs);
  add_stats(*store, place, verbs);
  add_backup(*store, place, verbs);
  add_export(*store, place, verbs);
  add_import(*store, place, verbs);
  add_forget(app, verbs);
  add_unexport(app, verbs);
}

}  // namespace stompbox::verbs

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "broker/verbs/dead_letters.h"
#include "broker/verbs/queue_orders.h"
#include "broker/verbs/queues.h"
#include "broker/verbs/status.h"
#include "broker/verbs/verbs_cli.h"
#include "broker/verbs/verbs_cli_place.h"

// The flags of the verbs that ask a running broker at its control door.
namespace stompbox::verbs {
namespace {

void add_thresholds(CLI::App& verb, Thresholds& thresholds, CLI::Option* check) {
  const auto count = [&verb, check](const char* name, std::optional<std::uint64_t>& value,
                                    const char* help) {
    verb.add_option(name, value, help)->type_name("N")->needs(check);
  };
  count("--warn-depth", thresholds.depth.warning,
        "WARNING from so many unstored catalogs on [1000].");
  count("--crit-depth", thresholds.depth.critical, "CRITICAL from so many on [10000].");
  add_duration(verb, "--warn-age", "WARNING when the oldest waits so long [10min].",
               [&thresholds](std::chrono::milliseconds age) {
                 thresholds.age_seconds.warning = static_cast<std::uint64_t>(age.count() / 1000);
               })
      ->needs(check);
  add_duration(verb, "--crit-age", "CRITICAL when it waits so long [1h].",
               [&thresholds](std::chrono::milliseconds age) {
                 thresholds.age_seconds.critical = static_cast<std::uint64_t>(age.count() / 1000);
               })
      ->needs(check);
  count("--warn-letters", thresholds.dead_letters.warning,
        "WARNING from so many dead letters on [1].");
  count("--crit-letters", thresholds.dead_letters.critical, "CRITICAL from so many on [never].");
}

void add_status(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb = app.add_subcommand("status", "Tell how the running broker is.");
  verb->footer(
      "With --check it is a Nagios plug-in: one line, and exit code 0 OK, 1 WARNING, 2 CRITICAL,\n"
      "3 UNKNOWN. No broker, a full disk and a database in trouble are CRITICAL.\n"
      "Examples:\n  stompbox status --data /var/lib/stompbox\n"
      "  stompbox status --check --warn-age 5min --crit-depth 5000");
  const PlacePtr place = add_place(*verb);
  struct Wish {
    bool check = false;
    Thresholds thresholds;
  };
  auto wish = std::make_shared<Wish>();
  CLI::Option* check =
      verb->add_flag("--check,--nagios", wish->check, "One line and an exit code for Nagios.");
  add_thresholds(*verb, wish->thresholds, check);
  verbs.push_back({verb, [wish, place] {
                     const auto resolved = options::resolve(place->flags());
                     if (wish->check && !resolved) return unknown_status(resolved.error().text);
                     if (!resolved) return code(fail(resolved.error()));
                     if (wish->check) return check_status(*resolved, wish->thresholds);
                     return code(status(*resolved, place->output()));
                   }});
}

void add_queue_purge(CLI::App& queues, const PlacePtr& parent, CliVerbs& verbs) {
  CLI::App* verb = queues.add_subcommand("purge", "Delete the waiting messages of a queue.");
  verb->footer(
      "What consumers have in flight stays with them.\n"
      "Examples:\n  stompbox queues purge work\n"
      "  stompbox queues purge --all-matching 'test.>'");
  const PlacePtr place = add_place(*verb, Json::kOffered, parent);
  auto wish = std::make_shared<PurgeOptions>();
  CLI::Option* queue = verb->add_option("queue", wish->queue, "The queue's name.");
  queue->type_name("QUEUE");
  verb->add_option("--all-matching", wish->pattern,
                   "All queues with such a name: * stands for one part of it, > for the rest.")
      ->type_name("PATTERN")
      ->excludes(queue);
  verbs.push_back({verb, with_wish(place, wish, &purge)});
}

void add_queue_move(CLI::App& queues, const PlacePtr& parent, CliVerbs& verbs) {
  CLI::App* verb =
      queues.add_subcommand("move", "Move waiting messages to another queue, oldest first.");
  verb->footer("Example:\n  stompbox queues move work work.later --count 100");
  const PlacePtr place = add_place(*verb, Json::kOffered, parent);
  auto wish = std::make_shared<MoveOptions>();
  verb->add_option("from", wish->from, "The queue that has them.")->required()->type_name("FROM");
  verb->add_option("to", wish->to, "The queue that gets them.")->required()->type_name("TO");
  verb->add_option("--count", wish->count, "So many at most; else all that wait now.")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  verbs.push_back({verb, with_wish(place, wish, &move_messages)});
}

void add_queue_delete(CLI::App& queues, const PlacePtr& parent, CliVerbs& verbs) {
  CLI::App* verb = queues.add_subcommand("delete", "Delete a queue with everything in it.");
  verb->footer(
      "A queue that somebody consumes stays; one that is sent to comes back, empty.\n"
      "Example:\n  stompbox queues delete work");
  const PlacePtr place = add_place(*verb, Json::kOffered, parent);
  auto queue = std::make_shared<std::string>();
  verb->add_option("queue", *queue, "The queue's name.")->required()->type_name("QUEUE");
  verbs.push_back({verb, with_options(place, [queue, place](const Options& options) {
                     return code(delete_queue(options, *queue, place->output()));
                   })});
}

void add_queues(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb =
      app.add_subcommand("queues", "List the running broker's queues, or change them.");
  verb->footer(
      "Without a further verb it lists them.\n"
      "Examples:\n  stompbox queues --data /var/lib/stompbox\n  stompbox queues purge work");
  const PlacePtr place = add_place(*verb);
  verbs.push_back({verb, with_options(place, [place](const Options& options) {
                     return code(queues(options, place->output()));
                   })});
  add_queue_purge(*verb, place, verbs);
  add_queue_move(*verb, place, verbs);
  add_queue_delete(*verb, place, verbs);
}

void add_reset(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb =
      app.add_subcommand("reset", "Delete all queues of the running broker: for tests.");
  verb->footer(
      "Connections and their subscriptions stay; queues, messages, durable subscriptions,\n"
      "retained and scheduled messages go. A test suite asks the control socket itself, which\n"
      "takes a millisecond: see the README.\n"
      "Example:\n  stompbox reset --yes --control-socket /tmp/broker.sock");
  const PlacePtr place = add_place(*verb);
  auto consent = std::make_shared<Consent>(Consent::kMissing);
  add_choice(*verb, "--yes", *consent, Consent::kGiven, "Do it: nothing of it can be undone.");
  verbs.push_back({verb, with_options(place, [consent, place](const Options& options) {
                     return code(reset(options, *consent, place->output()));
                   })});
}

void add_browse(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb = app.add_subcommand("browse", "Look at a queue's messages; none is taken.");
  verb->footer("Example:\n  stompbox browse catalog --count 5 --body 200 --json");
  const PlacePtr place = add_place(*verb);
  auto wish = std::make_shared<BrowseOptions>();
  verb->add_option("queue", wish->queue, "The queue's name.")->required()->type_name("QUEUE");
  verb->add_option("--count", wish->count, "So many messages at most.")
      ->type_name("N")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verb->add_option("--from", wish->from, "Where to go on, as an earlier answer says.")
      ->type_name("PLACE");
  verb->add_option("--body", wish->body_bytes, "So many bytes of each body.")
      ->type_name("BYTES")
      ->capture_default_str();
  verbs.push_back({verb, with_wish(place, wish, &browse)});
}

void add_letter_queue(CLI::App& verb, std::string& queue) {
  verb.add_option("--queue", queue, "Of this dead-letter queue only; else of all.")
      ->type_name("QUEUE");
}

void add_letter_list(CLI::App& letters, CliVerbs& verbs) {
  CLI::App* verb = letters.add_subcommand("list", "List dead letters with their reasons.");
  const PlacePtr place = add_place(*verb);
  auto wish = std::make_shared<LetterList>();
  add_letter_queue(*verb, wish->queue);
  verb->add_option("--count", wish->count, "So many at most.")
      ->type_name("N")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verbs.push_back({verb, with_wish(place, wish, &list_letters)});
}

void add_letter_act(CLI::App& letters, CliVerbs& verbs, const char* name, const char* help,
                    LetterVerb letter_verb) {
  CLI::App* verb = letters.add_subcommand(name, help);
  const PlacePtr place = add_place(*verb);
  auto choice = std::make_shared<LetterChoice>();
  CLI::Option* ids =
      verb->add_option("ids", choice->ids, "Ids, as 'dead-letters list' shows them.");
  ids->type_name("ID");
  verb->add_flag("--all", choice->all,
                 "All: of each queue the first 100,000 letters or 64 MiB of them.")
      ->excludes(ids);
  add_letter_queue(*verb, choice->queue);
  verbs.push_back({verb, with_options(place, [choice, place, letter_verb](const Options& options) {
                     return code(act_on_letters(options, letter_verb, *choice, place->output()));
                   })});
}

void add_dead_letters(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb = app.add_subcommand(
      "dead-letters", "List what could not be stored, send it back, or throw it away.");
  verb->footer(
      "The broker's own dead-letter queue and those that policies name, unless --queue names one.\n"
      "Examples:\n  stompbox dead-letters list\n  stompbox dead-letters replay 12-345 12-346\n"
      "  stompbox dead-letters drop --all --queue shop.dead");
  add_letter_list(*verb, verbs);
  add_letter_act(*verb, verbs, "replay", "Send letters back to where they came from.",
                 LetterVerb::kReplay);
  add_letter_act(*verb, verbs, "drop", "Throw letters away for good.", LetterVerb::kDrop);
}

}  // namespace

void add_broker_verbs(CLI::App& app, CliVerbs& verbs) {
  add_status(app, verbs);
  add_queues(app, verbs);
  add_browse(app, verbs);
  add_dead_letters(app, verbs);
  add_reset(app, verbs);
}

}  // namespace stompbox::verbs

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "broker/drain_alone.h"
#include "broker/options/options_cli.h"
#include "broker/options/options_file.h"
#include "broker/options/units.h"
#include "broker/server.h"
#include "broker/verbs/passwd.h"
#include "broker/verbs/receive.h"
#include "broker/verbs/send.h"
#include "broker/verbs/verbs_cli.h"
#include "broker/verbs/verbs_cli_place.h"

// The flags of each verb, and nothing else: what they mean is in the verb's own file.
namespace stompbox::verbs {
namespace {

constexpr std::size_t kNoEnd = 0;  // of a receive: no count

void add_serve(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb = app.add_subcommand("serve", "Run the broker until SIGTERM or SIGINT.");
  verb->footer(
      "Example:\n  stompbox serve --data /var/lib/stompbox --listen tcp://127.0.0.1:61613\n\n"
      "A listener that other machines can reach needs --users, made by 'stompbox passwd'.\n"
      "Each flag is also a key of the configuration file: see 'stompbox config show'.");
  const auto place = std::make_shared<Place>();
  options::add_serve_flags(*verb, place->given);
  verbs.push_back(
      {verb, with_options(place, [](const Options& options) { return run_server(options); })});
}

void add_drain(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb = app.add_subcommand(
      "drain", "Store the catalogs that wait at another broker, until SIGTERM or SIGINT.");
  verb->footer(
      "Any broker that speaks STOMP will do; several drains may share a queue and a database.\n"
      "The passcode comes from --source-passcode-file or STOMPBOX_PASSCODE.\n"
      "Example:\n  stompbox drain --source stomp://puppet@mq1:61613,mq2:61613/queue/catalog \\\n"
      "      --source-passcode-file /etc/stompbox.passcode --data /var/lib/stompbox\n\n"
      "'stompbox status --data DIR' tells how it is.");
  const auto place = std::make_shared<Place>();
  options::add_drain_flags(*verb, place->given);
  verbs.push_back(
      {verb, with_options(place, [](const Options& options) { return run_drain(options); })});
}

// Whether users, rules and the database's owner are looked at, too.
enum class ConfigDepth : std::uint8_t { kOptions, kFiles };

void add_config(CLI::App& app, CliVerbs& verbs) {
  CLI::App* config = app.add_subcommand("config", "Check or show the configuration.");
  config->footer(
      "Examples:\n  stompbox config check --config /etc/stompbox.toml\n"
      "  stompbox config sample > stompbox.toml");
  const auto add = [config, &verbs](const char* name, const char* help,
                                    std::function<std::string(const Options&)> text,
                                    ConfigDepth depth) {
    CLI::App* verb = config->add_subcommand(name, help);
    const auto place = std::make_shared<Place>();
    options::add_serve_flags(*verb, place->given);
    verbs.push_back(
        {verb, with_options(place, [text = std::move(text), depth](const Options& options) {
           if (depth == ConfigDepth::kFiles) {
             const auto world = stompbox::options::check_world(options);
             if (!world) return code(fail(world.error()));
           }
           print(text(options));
           return code(Exit::kDone);
         })});
  };
  add(
      "check",
      "Say whether file and flags are right, and the files they name; every mistake is named.",
      [](const Options& options) {
        return options.config_file.empty() ? std::string("The configuration is right.\n")
                                           : options.config_file + " is right.\n";
      },
      ConfigDepth::kFiles);
  add("show", "Print what holds, as a configuration file: defaults, file and flags together.",
      options::show_toml, ConfigDepth::kOptions);
  add("sample", "The same with an explanation of each key.", options::sample_toml,
      ConfigDepth::kOptions);
}

void add_passwd(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb = app.add_subcommand(
      "passwd", "Add a user to the users file, change a passcode, or delete a user.");
  verb->footer(
      "The passcode is asked for on the terminal, or is the first line of standard input.\n"
      "Examples:\n  stompbox passwd puppet --users /etc/stompbox.users\n"
      "  pwgen 24 1 | tee secret | stompbox passwd puppet --users /etc/stompbox.users\n"
      "  stompbox passwd node1 --group servers --keep-passcode --users /etc/stompbox.users\n"
      "  stompbox passwd puppet --delete --users /etc/stompbox.users");
  const PlacePtr place = add_place(*verb, Json::kNone);
  struct Wish {
    std::string user;
    std::vector<std::string> groups;
    bool remove = false;
    bool keep = false;
    bool none = false;
  };
  auto wish = std::make_shared<Wish>();
  verb->add_option("user", wish->user, "The user's name.")->required()->type_name("NAME");
  CLI::Option* groups =
      verb->add_option(
              "--group", wish->groups,
              "A group that the user is in, for the rules; may be repeated. Without it the "
              "groups stay as they are.")
          ->type_name("GROUP")
          ->allow_extra_args(false);
  CLI::Option* keep =
      verb->add_flag("--keep-passcode", wish->keep, "Change the groups only.")->needs(groups);
  CLI::Option* none = verb->add_flag("--no-passcode", wish->none,
                                     "Nobody comes in as that user but by certificate.");
  keep->excludes(none);
  verb->add_flag("--delete", wish->remove, "Take the user out of the file.")
      ->excludes(keep)
      ->excludes(none)
      ->excludes(groups);
  verbs.push_back({verb, with_options(place, [wish](const Options& options) {
                     if (wish->remove) return code(delete_user(options, wish->user));
                     const auto passcode = wish->keep   ? Passcode::kKept
                                           : wish->none ? Passcode::kNone
                                                        : Passcode::kAsked;
                     return code(put_user(options, wish->user, passcode, wish->groups));
                   })});
}

void add_send(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb = app.add_subcommand("send", "Send one message.");
  verb->footer(
      "The body is the second word, or comes from --file, or from standard input.\n"
      "Examples:\n  stompbox send work 'hello' --receipt\n"
      "  stompbox send /topic/news --header priority:7 < story.txt\n"
      "  stompbox send catalog --file web1.pson --content-type text/pson --receipt");
  auto wish = std::make_shared<SendOptions>();
  verb->add_option("destination", wish->destination,
                   "A queue's name, or a whole destination: /queue/NAME or /topic/NAME.")
      ->required()
      ->type_name("DESTINATION");
  CLI::Option* body = verb->add_option("body", wish->body, "The message itself.");
  body->type_name("TEXT");
  verb->add_option("--file", wish->file, "Take the body from this file; - is standard input.")
      ->type_name("FILE")
      ->excludes(body);
  verb->add_option("--header", wish->headers, "A header to send along; may be repeated.")
      ->type_name("NAME:VALUE")
      ->allow_extra_args(false);
  verb->add_option("--content-type", wish->content_type, "What the body is, as a MIME type.")
      ->type_name("TYPE");
  add_choice(*verb, "--receipt", wish->confirm, client::Confirm::kReceipt,
             "Wait until the broker has promised to keep the message.");
  add_login(*verb, wish->login);
  verbs.push_back({verb, [wish] { return code(send(*wish)); }});
}

void add_receive(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb =
      app.add_subcommand("receive", "Take messages from a queue or topic and print them.");
  verb->footer(
      "Each message is acknowledged when it is printed, so that none is lost on the way.\n"
      "Examples:\n  stompbox receive work\n  stompbox receive work --count 100 --timeout 5s\n"
      "  stompbox receive /topic/news --follow --headers");
  auto wish = std::make_shared<ReceiveOptions>();
  verb->add_option("destination", wish->source,
                   "A queue's name, or a whole destination: /queue/NAME or /topic/NAME.")
      ->required()
      ->type_name("DESTINATION");
  CLI::Option* count = verb->add_option("--count", wish->count, "End after so many messages.");
  count->type_name("N")->check(CLI::PositiveNumber)->capture_default_str();
  add_choice(*verb, "--follow", wish->count, kNoEnd, "Do not end.")->excludes(count);
  add_duration(*verb, "--timeout",
               "End when no message comes for so long; an error without --follow.",
               [wish](auto timeout) { wish->timeout = timeout; });
  verb->add_option("--ack", wish->ack, "Acknowledgement: auto, client or individual.")
      ->type_name("MODE")
      ->check(CLI::IsMember({"auto", "client", "individual"}))
      ->capture_default_str();
  CLI::Option* headers = add_choice(*verb, "--headers", wish->output,
                                    MessageOutput::kHeadersAndBody, "Print the headers too.");
  add_choice(*verb, "--json", wish->output, MessageOutput::kJson,
             "Print each message as one line of JSON.")
      ->excludes(headers);
  add_login(*verb, wish->login);
  verbs.push_back({verb, [wish] { return code(receive(*wish)); }});
}

}  // namespace

void add_server_verbs(CLI::App& app, CliVerbs& verbs) {
  add_serve(app, verbs);
  add_drain(app, verbs);
  add_config(app, verbs);
  add_passwd(app, verbs);
}

void add_message_verbs(CLI::App& app, CliVerbs& verbs) {
  add_send(app, verbs);
  add_receive(app, verbs);
  add_bench(app, verbs);
}

}  // namespace stompbox::verbs

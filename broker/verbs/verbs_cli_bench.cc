#include <memory>

#include "broker/verbs/bench.h"
#include "broker/verbs/verbs_cli.h"
#include "broker/verbs/verbs_cli_place.h"

// The flags of bench.
namespace stompbox::verbs {
namespace {

constexpr std::uint64_t kMessagesMax = 1'000'000'000;
constexpr std::size_t kSizeMax = 64 * 1024 * 1024;
constexpr std::size_t kClientsMax = 100;  // a process each

void add_load(CLI::App& verb, BenchOptions& options) {
  const auto number = [&verb](const char* name, auto& value, const char* type, const char* help,
                              std::uint64_t min, std::uint64_t max) {
    verb.add_option(name, value, help)
        ->type_name(type)
        ->check(CLI::Range(min, max))
        ->capture_default_str();
  };
  number("--messages", options.messages, "N", "How many messages are sent, by all together.", 1,
         kMessagesMax);
  number("--size", options.size_bytes, "BYTES", "The body of each.", 0, kSizeMax);
  number("--producers", options.producers, "N", "Clients that send.", 1, kClientsMax);
  number("--consumers", options.consumers, "N", "Clients that receive.", 1, kClientsMax);
  number("--rate", options.rate, "N",
         "Messages a second, of all producers together; 0 is as fast as they go.", 0, kMessagesMax);
}

}  // namespace

void add_bench(CLI::App& app, CliVerbs& verbs) {
  CLI::App* verb = app.add_subcommand("bench", "Measure a broker: how fast it takes and gives.");
  verb->footer(
      "Any broker that speaks STOMP will do. Each client is a process on this machine: what they\n"
      "need of it the broker does not get. The latency of a message is from SEND to MESSAGE. At\n"
      "full speed it mostly waits behind others; --rate shows what it takes without them.\n"
      "The queue of its own is empty afterwards. Stompbox and Artemis forget it, RabbitMQ is "
      "asked\n"
      "to delete it; ActiveMQ keeps it until gcInactiveDestinations or somebody takes it away.\n"
      "Examples:\n  stompbox bench --persistent --producers 4 --consumers 4\n"
      "  stompbox bench --messages 5000 --rate 500 --json\n"
      "  stompbox bench --destination /topic/bench --consumers 10");
  auto wish = std::make_shared<BenchOptions>();
  add_load(*verb, *wish);
  add_choice(*verb, "--persistent", wish->persistence, BenchPersistence::kPersistent,
             "Messages that outlive the broker; else they go with it.");
  verb->add_option("--destination", wish->destination,
                   "A queue's name, or /queue/NAME or /topic/NAME; a queue must be empty. Else a "
                   "queue of its own.")
      ->type_name("DESTINATION");
  add_choice(*verb, "--json", wish->output, Output::kJson, "Print JSON.");
  add_login(*verb, wish->login);
  verbs.push_back({verb, [wish] { return code(bench(*wish)); }});
}

}  // namespace stompbox::verbs

#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include "broker/options/options_file.h"

// The list of [[policy]] in the configuration.
namespace stompbox::options {
namespace {

using routing::DestinationKind;
using routing::PolicyRule;
using std::chrono::milliseconds;

Options read(const std::string& toml) {
  Options options;
  const auto status = apply_toml(options, toml, "x.toml");
  REQUIRE_MESSAGE(status.has_value(), (status ? "" : status.error().text));
  return options;
}

std::string error_of(const std::string& toml) {
  Options options;
  const auto status = apply_toml(options, toml, "x.toml");
  return status ? std::string() : status.error().text;
}

constexpr const char* kEverything = R"(
[[policy]]
pattern = "/queue/mcollective.reply.>"
messages_max = 10
bytes_max = "1MiB"
age_max = "70s"
when_full = "drop-oldest"
dead_letter_queue = "DLQ.*"
expired_to_dead_letters = true
redeliveries_max = 6
redelivery_delay = "1s"
redelivery_backoff = 2.5
redelivery_delay_max = "1h"
idle_max = "10s"

[[policy]]
pattern = "/topic/prices.*"
age_max = "1s"
backlog_count_max = 5
backlog_max = "2KiB"
when_slow = "drop-oldest"
)";

TEST_CASE("a policy takes kind and pattern from one destination") {
  const Options options = read(kEverything);
  REQUIRE(options.routing.policies.size() == 2);
  CHECK(options.routing.policies[0].kind == DestinationKind::kQueue);
  CHECK(options.routing.policies[0].pattern == "mcollective.reply.>");
  CHECK(options.routing.policies[1].kind == DestinationKind::kTopic);
  CHECK(options.routing.policies[1].pattern == "prices.*");
}

TEST_CASE("every member of a policy can be set") {
  const Options options = read(kEverything);
  const PolicyRule& queues = options.routing.policies[0];
  CHECK(queues.messages_max == 10);
  CHECK(queues.bytes_max == 1024 * 1024);
  CHECK(queues.age_max == milliseconds(70'000));
  CHECK(queues.when_full == routing::WhenFull::kDropOldest);
  CHECK(queues.dead_letter_queue == "DLQ.*");
  CHECK(queues.expired_to_dead_letters == true);
  CHECK(queues.redeliveries_max == 6);
  CHECK(queues.redelivery_delay == milliseconds(1000));
  CHECK(queues.redelivery_backoff == 2.5);
  CHECK(queues.redelivery_delay_max == milliseconds(3'600'000));
  CHECK(queues.idle_max == milliseconds(10'000));
  const PolicyRule& topics = options.routing.policies[1];
  CHECK(topics.age_max == milliseconds(1000));
  CHECK(topics.backlog_count_max == 5);
  CHECK(topics.backlog_bytes_max == 2048);
  CHECK(topics.when_slow == routing::WhenSlow::kDropOldest);
}

TEST_CASE("a policy names only what it says, also where that is the default") {
  const Options options = read(
      "[[policy]]\npattern = \"/queue/a\"\nidle_max = \"5min\"\n"
      "[[policy]]\npattern = \"/queue/b\"\n");
  CHECK(options.routing.policies[0].idle_max == milliseconds(300'000));
  CHECK_FALSE(options.routing.policies[0].messages_max.has_value());
  CHECK_FALSE(options.routing.policies[1].idle_max.has_value());
}

TEST_CASE("policies leave the defaults alone") {
  const Options options = read(kEverything);
  CHECK(options.routing.queue_policy.messages_max == 0);
  CHECK(options.routing.topic_policy.when_slow == routing::WhenSlow::kClose);
}

TEST_CASE("policies that are shown read back as the same") {
  const Options options = read(kEverything);
  const std::string shown = show_toml(options);
  CHECK(show_toml(read(shown)) == shown);
  CHECK(shown.find("[[policy]]\npattern = \"/queue/mcollective.reply.>\"\nmessages_max = 10\n") !=
        std::string::npos);
  CHECK(shown.find("redelivery_backoff = 2.5\n") != std::string::npos);
}

TEST_CASE("a mistake in a policy is named with line, key and the nearest right one") {
  const std::string queue = "[[policy]]\npattern = \"/queue/a\"\n";
  CHECK(error_of(queue + "mesages_max = 1\n") ==
        "x.toml:3: a policy has no mesages_max; did you mean messages_max?");
  CHECK(error_of(queue + "when_slow = \"close\"\n") ==
        "x.toml:3: a policy for queues has no when_slow: topics have it");
  CHECK(
      error_of(queue + "age_max = \"soon\"\n") ==
      "x.toml:3: policy.age_max: 'soon' is not a time; write it like 1500ms, 10s, 5min, 2h or 30d");
  CHECK(
      error_of(queue + "redelivery_backoff = 0.5\n") ==
      "x.toml:3: policy.redelivery_backoff: '0.5' is not a factor from 1 to 1000; write it like 2 "
      "or 1.5");
  CHECK(error_of(queue + "when_full = \"drop\"\n")
            .starts_with("x.toml:3: policy.when_full: 'drop' is none of wait, drop-oldest"));
}

TEST_CASE("a policy without a destination to hold for is refused") {
  CHECK(error_of("[[policy]]\nage_max = \"1s\"\n") ==
        "x.toml:1: a policy needs a pattern, like pattern = \"/queue/orders.>\"");
  for (const char* pattern : {"orders.>", "/queue/", "/dsub/x", "/temp-queue/x"}) {
    CAPTURE(pattern);
    CHECK(error_of("[[policy]]\npattern = \"" + std::string(pattern) + "\"\n")
              .starts_with("x.toml:2: the pattern of a policy"));
  }
  CHECK(error_of("[policy]\npattern = \"/queue/a\"\n") ==
        "x.toml:1: policy is a list: begin each with [[policy]]");
  CHECK(error_of("policy = 3\n").find("begin each with [[policy]]") != std::string::npos);
}

TEST_CASE("all mistakes of all policies are told") {
  const std::string text =
      error_of("[[policy]]\npattern = \"/queue/a\"\nx = 1\ny = 2\n[[policy]]\npattern = \"b\"\n");
  CHECK(text.find("x.toml:3: ") == 0);
  CHECK(text.find("\nx.toml:4: ") != std::string::npos);
  CHECK(text.find("\nx.toml:6: ") != std::string::npos);
}

}  // namespace
}  // namespace stompbox::options

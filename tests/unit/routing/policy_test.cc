#include "broker/routing/policy.h"

#include <doctest/doctest.h>

using namespace stompbox::routing;
using std::chrono::milliseconds;

namespace {

PolicyRule rule_of(DestinationKind kind, std::string pattern) {
  PolicyRule rule;
  rule.kind = kind;
  rule.pattern = std::move(pattern);
  return rule;
}

}  // namespace

TEST_CASE("without rules the policy of the kind holds") {
  Policy queues;
  queues.messages_max = 7;
  Policy topics;
  topics.messages_max = 8;
  const PolicyTable table(queues, topics, {});
  CHECK(table.find(DestinationKind::kQueue, "a").messages_max == 7);
  CHECK(table.find(DestinationKind::kTopic, "a").messages_max == 8);
  CHECK(PolicyTable().find(DestinationKind::kQueue, "a").idle_max == Policy().idle_max);
}

TEST_CASE("the first rule that names a member decides it, later ones the rest") {
  PolicyRule narrow = rule_of(DestinationKind::kQueue, "a.*");
  narrow.messages_max = 1;
  PolicyRule wide = rule_of(DestinationKind::kQueue, ">");
  wide.messages_max = 2;
  wide.when_full = WhenFull::kDropOldest;
  const PolicyTable table({}, {}, {narrow, wide});
  const Policy both = table.find(DestinationKind::kQueue, "a.b");
  CHECK(both.messages_max == 1);
  CHECK(both.when_full == WhenFull::kDropOldest);
  CHECK(table.find(DestinationKind::kQueue, "b").messages_max == 2);
}

TEST_CASE("a rule for queues says nothing about topics") {
  PolicyRule rule = rule_of(DestinationKind::kTopic, ">");
  rule.when_slow = WhenSlow::kDropOldest;
  const PolicyTable table({}, {}, {rule});
  CHECK(table.find(DestinationKind::kTopic, "a").when_slow == WhenSlow::kDropOldest);
  CHECK(table.find(DestinationKind::kTempTopic, "a").when_slow == WhenSlow::kDropOldest);
  CHECK(table.find(DestinationKind::kQueue, "a").when_slow == WhenSlow::kClose);
}

TEST_CASE("durable subscriptions and temporary queues are judged like queues") {
  PolicyRule rule = rule_of(DestinationKind::kQueue, "n*");
  rule.bytes_max = 5;
  const PolicyTable table({}, {}, {rule});
  for (const DestinationKind kind :
       {DestinationKind::kDurable, DestinationKind::kTempQueue, DestinationKind::kRemoteTempQueue})
    CHECK(table.find(kind, "name").bytes_max == 5);
}

TEST_CASE("a rule can change every member") {
  PolicyRule rule = rule_of(DestinationKind::kQueue, "a");
  rule.messages_max = 1;
  rule.bytes_max = 2;
  rule.age_max = milliseconds(3);
  rule.when_full = WhenFull::kDropOldest;
  rule.dead_letter_queue = "dlq.*";
  rule.expired_to_dead_letters = true;
  rule.redeliveries_max = 4;
  rule.redelivery_delay = milliseconds(5);
  rule.redelivery_backoff = 6.0;
  rule.redelivery_delay_max = milliseconds(7);
  rule.idle_max = milliseconds(8);
  rule.backlog_count_max = 9;
  rule.backlog_bytes_max = 10;
  rule.when_slow = WhenSlow::kDropOldest;
  const Policy policy = PolicyTable({}, {}, {rule}).find(DestinationKind::kQueue, "a");
  CHECK(policy.messages_max == 1);
  CHECK(policy.bytes_max == 2);
  CHECK(policy.age_max == milliseconds(3));
  CHECK(policy.when_full == WhenFull::kDropOldest);
  CHECK(policy.dead_letter_queue == "dlq.*");
  CHECK(policy.expired_to_dead_letters);
  CHECK(policy.redeliveries_max == 4);
  CHECK(policy.redelivery_delay == milliseconds(5));
  CHECK(policy.redelivery_backoff == 6.0);
  CHECK(policy.redelivery_delay_max == milliseconds(7));
  CHECK(policy.idle_max == milliseconds(8));
  CHECK(policy.backlog_count_max == 9);
  CHECK(policy.backlog_bytes_max == 10);
  CHECK(policy.when_slow == WhenSlow::kDropOldest);
}

TEST_CASE("a rule that names nothing changes nothing") {
  Policy queues;
  queues.dead_letter_queue = "letters";
  const PolicyTable table(queues, {}, {rule_of(DestinationKind::kQueue, ">")});
  CHECK(table.find(DestinationKind::kQueue, "a").dead_letter_queue == "letters");
}

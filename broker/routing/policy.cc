#include "broker/routing/policy.h"

#include <utility>

namespace stompbox::routing {
namespace {

bool is_topic(DestinationKind kind) {
  return kind == DestinationKind::kTopic || kind == DestinationKind::kTempTopic ||
         kind == DestinationKind::kRemoteTempTopic;
}

template <typename T>
void fill(std::optional<T>& gap, const std::optional<T>& named) {
  if (!gap) gap = named;
}

// What `rule` names and no earlier rule did.
void fill_gaps(PolicyRule& found, const PolicyRule& rule) {
  fill(found.messages_max, rule.messages_max);
  fill(found.bytes_max, rule.bytes_max);
  fill(found.age_max, rule.age_max);
  fill(found.when_full, rule.when_full);
  fill(found.dead_letter_queue, rule.dead_letter_queue);
  fill(found.expired_to_dead_letters, rule.expired_to_dead_letters);
  fill(found.redeliveries_max, rule.redeliveries_max);
  fill(found.redelivery_delay, rule.redelivery_delay);
  fill(found.redelivery_backoff, rule.redelivery_backoff);
  fill(found.redelivery_delay_max, rule.redelivery_delay_max);
  fill(found.idle_max, rule.idle_max);
  fill(found.backlog_count_max, rule.backlog_count_max);
  fill(found.backlog_bytes_max, rule.backlog_bytes_max);
  fill(found.when_slow, rule.when_slow);
}

template <typename T>
void set(T& member, const std::optional<T>& named) {
  if (named) member = *named;
}

Policy with(Policy policy, const PolicyRule& found) {
  set(policy.messages_max, found.messages_max);
  set(policy.bytes_max, found.bytes_max);
  set(policy.age_max, found.age_max);
  set(policy.when_full, found.when_full);
  set(policy.dead_letter_queue, found.dead_letter_queue);
  set(policy.expired_to_dead_letters, found.expired_to_dead_letters);
  set(policy.redeliveries_max, found.redeliveries_max);
  set(policy.redelivery_delay, found.redelivery_delay);
  set(policy.redelivery_backoff, found.redelivery_backoff);
  set(policy.redelivery_delay_max, found.redelivery_delay_max);
  set(policy.idle_max, found.idle_max);
  set(policy.backlog_count_max, found.backlog_count_max);
  set(policy.backlog_bytes_max, found.backlog_bytes_max);
  set(policy.when_slow, found.when_slow);
  return policy;
}

}  // namespace

PolicyTable::PolicyTable(Policy queues, Policy topics, const std::vector<PolicyRule>& rules)
    : queues_(std::move(queues)), topics_(std::move(topics)) {
  rows_.reserve(rules.size());
  for (const PolicyRule& rule : rules)
    rows_.push_back({Pattern(rule.pattern), rule});
}

Policy PolicyTable::find(DestinationKind kind, std::string_view name) const {
  PolicyRule found;
  for (const Row& row : rows_) {
    if (is_topic(row.rule.kind) == is_topic(kind) && row.pattern.matches(name))
      fill_gaps(found, row.rule);
  }
  return with(is_topic(kind) ? topics_ : queues_, found);
}

}  // namespace stompbox::routing

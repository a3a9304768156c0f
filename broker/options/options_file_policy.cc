#include "broker/options/options_file_policy.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>
#include <utility>
#include <vector>

#include "broker/options/nearest.h"
#include "broker/options/options_file_value.h"
#include "broker/options/options_table.h"

namespace stompbox::options {
namespace {

using access::Mistakes;
using routing::DestinationKind;
using routing::Policy;
using routing::PolicyRule;

constexpr std::string_view kQueue = "/queue/";
constexpr std::string_view kTopic = "/topic/";
constexpr std::string_view kPattern = "pattern";

// A member of a policy is read, bounded and shown like the option that is its default.
struct Member {
  std::string_view name;
  DestinationKind kind;     // of the destinations that have it
  std::string_view option;  // the key of its default
  void (*take)(PolicyRule& rule, const Options& from);
  bool (*put)(const PolicyRule& rule, Options& into);  // false: the rule does not name it
};

template <DestinationKind kKind>
auto& policy_of(auto& options) {
  if constexpr (kKind == DestinationKind::kQueue) {
    return options.routing.queue_policy;
  } else {
    return options.routing.topic_policy;
  }
}

template <DestinationKind kKind, auto kRuleMember, auto kPolicyMember>
constexpr Member member(std::string_view name, std::string_view option) {
  return {name, kKind, option,
          [](PolicyRule& rule, const Options& from) {
            rule.*kRuleMember = policy_of<kKind>(from).*kPolicyMember;
          },
          [](const PolicyRule& rule, Options& into) {
            if (!(rule.*kRuleMember)) return false;
            policy_of<kKind>(into).*kPolicyMember = *(rule.*kRuleMember);
            return true;
          }};
}

template <auto kRuleMember, auto kPolicyMember>
constexpr Member of_queues(std::string_view name, std::string_view option) {
  return member<DestinationKind::kQueue, kRuleMember, kPolicyMember>(name, option);
}

template <auto kRuleMember, auto kPolicyMember>
constexpr Member of_topics(std::string_view name, std::string_view option) {
  return member<DestinationKind::kTopic, kRuleMember, kPolicyMember>(name, option);
}

constexpr std::array kMembers = {
    of_queues<&PolicyRule::messages_max, &Policy::messages_max>("messages_max",
                                                                "queues.messages_max"),
    of_queues<&PolicyRule::bytes_max, &Policy::bytes_max>("bytes_max", "queues.bytes_max"),
    of_queues<&PolicyRule::age_max, &Policy::age_max>("age_max", "queues.age_max"),
    of_queues<&PolicyRule::when_full, &Policy::when_full>("when_full", "queues.when_full"),
    of_queues<&PolicyRule::dead_letter_queue, &Policy::dead_letter_queue>(
        "dead_letter_queue", "queues.dead_letter_queue"),
    of_queues<&PolicyRule::expired_to_dead_letters, &Policy::expired_to_dead_letters>(
        "expired_to_dead_letters", "queues.expired_to_dead_letters"),
    of_queues<&PolicyRule::redeliveries_max, &Policy::redeliveries_max>("redeliveries_max",
                                                                        "queues.redeliveries_max"),
    of_queues<&PolicyRule::redelivery_delay, &Policy::redelivery_delay>("redelivery_delay",
                                                                        "queues.redelivery_delay"),
    of_queues<&PolicyRule::redelivery_backoff, &Policy::redelivery_backoff>(
        "redelivery_backoff", "queues.redelivery_backoff"),
    of_queues<&PolicyRule::redelivery_delay_max, &Policy::redelivery_delay_max>(
        "redelivery_delay_max", "queues.redelivery_delay_max"),
    of_queues<&PolicyRule::idle_max, &Policy::idle_max>("idle_max", "queues.idle_max"),
    of_topics<&PolicyRule::age_max, &Policy::age_max>("age_max", "topics.age_max"),
    of_topics<&PolicyRule::backlog_count_max, &Policy::backlog_count_max>(
        "backlog_count_max", "routing.topic_backlog_count_max"),
    of_topics<&PolicyRule::backlog_bytes_max, &Policy::backlog_bytes_max>(
        "backlog_max", "routing.topic_backlog_max"),
    of_topics<&PolicyRule::when_slow, &Policy::when_slow>("when_slow", "topics.when_slow"),
};

const Member* find_member(DestinationKind kind, std::string_view name) {
  const auto* const found =
      std::find_if(kMembers.begin(), kMembers.end(),
                   [&](const Member& known) { return known.kind == kind && known.name == name; });
  return found == kMembers.end() ? nullptr : found;
}

std::string_view plural_of(DestinationKind kind) {
  return kind == DestinationKind::kQueue ? "queues" : "topics";
}

// The sentence for a key that a policy of this kind does not have.
std::string unknown_member(DestinationKind kind, std::string_view name) {
  const DestinationKind other =
      kind == DestinationKind::kQueue ? DestinationKind::kTopic : DestinationKind::kQueue;
  const std::string word(name);
  if (find_member(other, name) != nullptr) {
    return "a policy for " + std::string(plural_of(kind)) + " has no " + word + ": " +
           std::string(plural_of(other)) + " have it";
  }
  std::vector<std::string_view> names = {kPattern};
  for (const Member& known : kMembers)
    if (known.kind == kind) names.push_back(known.name);
  return with_hint("a policy has no " + word, nearest(name, names));
}

// Kind and pattern from "/queue/PATTERN" or "/topic/PATTERN".
bool read_pattern(PolicyRule& rule, const toml::table& table, Mistakes& mistakes) {
  const toml::node* node = table.get(kPattern);
  if (node == nullptr) {
    mistakes.add(line_of(table), "a policy needs a pattern, like pattern = \"/queue/orders.>\"");
    return false;
  }
  const auto* value = node->as_string();
  const std::string text = value == nullptr ? std::string() : value->get();
  const bool is_queue = text.starts_with(kQueue) && text.size() > kQueue.size();
  const bool is_topic = text.starts_with(kTopic) && text.size() > kTopic.size();
  if (!is_queue && !is_topic) {
    mistakes.add(line_of(*node),
                 "the pattern of a policy is a text that begins with /queue/ or /topic/");
    return false;
  }
  rule.kind = is_queue ? DestinationKind::kQueue : DestinationKind::kTopic;
  rule.pattern = text.substr(is_queue ? kQueue.size() : kTopic.size());
  return true;
}

std::optional<PolicyRule> read_policy(const toml::table& table, Mistakes& mistakes) {
  PolicyRule rule;
  if (!read_pattern(rule, table, mistakes)) return std::nullopt;
  for (const auto& [key, node] : table) {
    if (key.str() == kPattern) continue;
    const Member* known = find_member(rule.kind, key.str());
    if (known == nullptr) {
      mistakes.add(line_of(key), unknown_member(rule.kind, key.str()));
      continue;
    }
    Options scratch;
    const Row* row = find_row(known->option);
    assert(row != nullptr);
    set_from_toml(row->field, scratch, "policy." + std::string(known->name), node, mistakes);
    known->take(rule, scratch);
  }
  return rule;
}

}  // namespace

void apply_policies(Options& options, const toml::node& list, Mistakes& mistakes) {
  const toml::array* policies = list.as_array();
  if (policies == nullptr || !policies->is_array_of_tables()) {
    mistakes.add(line_of(list), "policy is a list: begin each with [[policy]]");
    return;
  }
  options.routing.policies.clear();
  for (const toml::node& one : *policies) {
    if (auto rule = read_policy(*one.as_table(), mistakes)) {
      options.routing.policies.push_back(std::move(*rule));
    }
  }
}

void append_policies(std::string& out, const Options& options) {
  for (const PolicyRule& rule : options.routing.policies) {
    const bool is_queue = rule.kind == DestinationKind::kQueue;
    out += "\n[[policy]]\npattern = ";
    append_quoted(out, std::string(is_queue ? kQueue : kTopic) + rule.pattern);
    out += '\n';
    for (const Member& known : kMembers) {
      Options scratch;
      if (known.kind != rule.kind || !known.put(rule, scratch)) continue;
      const Row* row = find_row(known.option);
      out.append(known.name).append(" = ");
      append_value(out, row->field, show_field(row->field, scratch));
      out += '\n';
    }
  }
}

}  // namespace stompbox::options

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/routing/destination.h"
#include "broker/routing/durable.h"
#include "broker/routing/name_hash.h"
#include "broker/routing/pattern.h"
#include "broker/routing/policy.h"
#include "broker/routing/selector.h"
#include "storage/result.h"

namespace stompbox::routing {

class RoutedQueue;
struct Subscription;

// What may wait for one subscription without credit.
struct TopicLimits {
  std::uint64_t count_max = 0;
  std::uint64_t bytes_max = 0;
  WhenSlow when_slow = WhenSlow::kClose;
};

// Who gets what is sent to one topic. Made ready once, so that a message costs its takers and a
// look-up per header that selectors of the form `header = 'value'` name.
class Topic {
 public:
  // Calls visit(subscription) for each subscription whose selector matches.
  template <typename Visit>
  void for_each_taker(const queue::Message& message, Visit visit) const;
  [[nodiscard]] const std::vector<Subscription*>& plain() const { return plain_; }
  struct DurableTaker {
    RoutedQueue* queue = nullptr;
    const DurableFilter* filter = nullptr;
  };
  [[nodiscard]] const std::vector<DurableTaker>& durables() const { return durables_; }
  [[nodiscard]] const TopicLimits& limits() const { return limits_; }
  [[nodiscard]] bool has_takers() const {
    return !plain_.empty() || !by_header_.empty() || !selecting_.empty() || !durables_.empty();
  }

 private:
  friend class TopicTable;
  struct Selecting {
    Subscription* subscription = nullptr;
    const Selector* selector = nullptr;
  };
  struct ByValue {
    std::string header;
    std::unordered_map<std::string, std::vector<Subscription*>, NameHash, std::equal_to<>> values;
  };
  void add(Subscription& subscription, const Selector* selector);
  void clear();

  std::vector<Subscription*> direct_;  // that name this topic, in order of coming
  std::uint64_t made_ready_at_ = 0;    // TopicTable::changes_ then
  TopicLimits limits_;
  // Made from all that listen, by name or by pattern:
  std::vector<Subscription*> plain_;
  std::vector<ByValue> by_header_;
  std::vector<Selecting> selecting_;
  std::vector<DurableTaker> durables_;
};

// All topics, and who listens to which. Topics are not stored: one is here while somebody names it,
// or because a message came that a pattern matches. Subscriptions are only names here: nothing of
// them is touched.
class TopicTable {
 public:
  // `policies` outlives the table.
  TopicTable(std::size_t count_max, const PolicyTable& policies)
      : count_max_(count_max), policies_(policies) {}

  // One subscription to all of `topics` (internal names). kFull beyond the bound, and then nothing
  // has changed.
  [[nodiscard]] storage::Status add(Subscription& subscription,
                                    const std::vector<Destination>& topics,
                                    std::shared_ptr<const Selector> selector);
  void remove(Subscription& subscription);

  // Replaces what the queue had.
  void set_durable(RoutedQueue& queue, DurableFilter filter);
  void remove_durable(const RoutedQueue& queue);
  [[nodiscard]] const DurableFilter* durable(const RoutedQueue& queue) const;
  [[nodiscard]] std::size_t durable_count() const { return durables_.size(); }

  // The topic, ready; nullptr if nobody listens. Good until the next call of anything here.
  [[nodiscard]] const Topic* find(std::string_view name);
  // Whether somebody names it.
  [[nodiscard]] bool has_subscriber(std::string_view name) const;
  [[nodiscard]] std::size_t count() const { return topics_.size(); }

 private:
  struct Interest {
    std::vector<std::string> names;
    std::vector<Pattern> patterns;
    std::shared_ptr<const Selector> selector;
  };

  struct Durable {
    RoutedQueue* queue = nullptr;
    std::unique_ptr<DurableFilter> filter;
  };

  [[nodiscard]] Topic& cached(std::string_view name);
  void forget_unnamed();
  void make_ready(std::string_view name, Topic& topic) const;

  const std::size_t count_max_;
  const PolicyTable& policies_;
  std::uint64_t changes_ = 1;  // of patterns and durable subscriptions
  std::unordered_map<std::string, std::unique_ptr<Topic>, NameHash, std::equal_to<>> topics_;
  std::unordered_map<const Subscription*, Interest> interests_;
  std::vector<Subscription*> patterned_;  // those of interests_ with patterns, in order of coming
  std::vector<Durable> durables_;         // in order of coming
  Topic unkept_;                          // the answer when there is no room to keep it
};

template <typename Visit>
void Topic::for_each_taker(const queue::Message& message, Visit visit) const {
  for (Subscription* subscription : plain_)
    visit(*subscription);
  for (const ByValue& index : by_header_) {
    std::string scratch;
    const auto value = find_header(message, index.header, scratch);
    if (!value) continue;
    const auto found = index.values.find(*value);
    if (found == index.values.end()) continue;
    for (Subscription* subscription : found->second)
      visit(*subscription);
  }
  for (const Selecting& selecting : selecting_) {
    if (selecting.selector->matches(message)) visit(*selecting.subscription);
  }
}

}  // namespace stompbox::routing

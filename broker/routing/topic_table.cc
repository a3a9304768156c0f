#include "broker/routing/topic_table.h"

#include <algorithm>
#include <utility>

#include "broker/routing/temporary.h"

namespace stompbox::routing {

void Topic::add(Subscription& subscription, const Selector* selector) {
  if (selector == nullptr) {
    plain_.push_back(&subscription);
    return;
  }
  const auto& equality = selector->equality();
  if (!equality) {
    selecting_.push_back({&subscription, selector});
    return;
  }
  auto index = std::find_if(by_header_.begin(), by_header_.end(), [&equality](const ByValue& by) {
    return by.header == equality->header;
  });
  if (index == by_header_.end()) {
    index = by_header_.insert(by_header_.end(), ByValue{equality->header, {}});
  }
  index->values[equality->value].push_back(&subscription);
}

void Topic::clear() {
  plain_.clear();
  by_header_.clear();
  selecting_.clear();
  durables_.clear();
}

storage::Status TopicTable::add(Subscription& subscription, const std::vector<Destination>& topics,
                                std::shared_ptr<const Selector> selector) {
  Interest interest;
  interest.selector = std::move(selector);
  std::size_t new_topics = 0;
  for (const Destination& topic : topics) {
    if (topic.has_wildcards) {
      interest.patterns.emplace_back(topic.name);
      continue;
    }
    interest.names.push_back(topic.name);
    if (!topics_.contains(topic.name)) new_topics += 1;
  }
  if (topics_.size() + new_topics > count_max_) forget_unnamed();
  if (topics_.size() + new_topics > count_max_) {
    return storage::Error{storage::ErrorCode::kFull,
                          "there are as many topics as the option routing.topics_max allows"};
  }
  for (const std::string& name : interest.names) {
    std::unique_ptr<Topic>& topic = topics_[name];
    if (topic == nullptr) topic = std::make_unique<Topic>();
    topic->direct_.push_back(&subscription);
    topic->made_ready_at_ = 0;
  }
  if (!interest.patterns.empty()) {
    patterned_.push_back(&subscription);
    changes_ += 1;
  }
  interests_.emplace(&subscription, std::move(interest));
  return storage::kOk;
}

void TopicTable::remove(Subscription& subscription) {
  const auto found = interests_.find(&subscription);
  if (found == interests_.end()) return;
  for (const std::string& name : found->second.names) {
    const auto topic = topics_.find(name);
    std::erase(topic->second->direct_, &subscription);
    topic->second->made_ready_at_ = 0;
    if (topic->second->direct_.empty()) topics_.erase(topic);
  }
  if (!found->second.patterns.empty()) {
    std::erase(patterned_, &subscription);
    changes_ += 1;
  }
  interests_.erase(found);
}

void TopicTable::set_durable(RoutedQueue& queue, DurableFilter filter) {
  auto made = std::make_unique<DurableFilter>(std::move(filter));
  changes_ += 1;
  for (Durable& durable : durables_) {
    if (durable.queue != &queue) continue;
    durable.filter = std::move(made);
    return;
  }
  durables_.push_back({&queue, std::move(made)});
}

void TopicTable::remove_durable(const RoutedQueue& queue) {
  changes_ +=
      std::erase_if(durables_, [&queue](const Durable& entry) { return entry.queue == &queue; });
}

const DurableFilter* TopicTable::durable(const RoutedQueue& queue) const {
  for (const Durable& durable : durables_) {
    if (durable.queue == &queue) return durable.filter.get();
  }
  return nullptr;
}

const Topic* TopicTable::find(std::string_view name) {
  const auto found = topics_.find(name);
  if (found == topics_.end() && patterned_.empty() && durables_.empty()) return nullptr;
  Topic& topic = found == topics_.end() ? cached(name) : *found->second;
  if (topic.made_ready_at_ != changes_) make_ready(name, topic);
  return topic.has_takers() ? &topic : nullptr;
}

bool TopicTable::has_subscriber(std::string_view name) const {
  const auto found = topics_.find(name);
  return found != topics_.end() && !found->second->direct_.empty();
}

// An answer is kept even if it is "nobody": it is asked for with each message.
Topic& TopicTable::cached(std::string_view name) {
  if (topics_.size() >= count_max_) forget_unnamed();
  if (topics_.size() >= count_max_) {
    unkept_.made_ready_at_ = 0;
    return unkept_;
  }
  return *topics_.emplace(std::string(name), std::make_unique<Topic>()).first->second;
}

void TopicTable::forget_unnamed() {
  std::erase_if(topics_, [](const auto& entry) { return entry.second->direct_.empty(); });
}

// A subscription of several destinations gets a message once, however many of them it matches.
void TopicTable::make_ready(std::string_view name, Topic& topic) const {
  topic.clear();
  topic.made_ready_at_ = changes_;
  const Policy policy = policies_.find(DestinationKind::kTopic, name);
  topic.limits_ = {policy.backlog_count_max, policy.backlog_bytes_max, policy.when_slow};
  for (Subscription* subscription : topic.direct_)
    topic.add(*subscription, interests_.at(subscription).selector.get());
  if (name.starts_with(kTempTopicPrefix)) return;  // private: no pattern sees it
  for (Subscription* subscription : patterned_) {
    const Interest& interest = interests_.at(subscription);
    const auto fits = [name](const Pattern& pattern) { return pattern.matches(name); };
    const bool is_named =
        std::find(interest.names.begin(), interest.names.end(), name) != interest.names.end();
    if (!is_named && std::any_of(interest.patterns.begin(), interest.patterns.end(), fits)) {
      topic.add(*subscription, interest.selector.get());
    }
  }
  for (const Durable& durable : durables_) {
    if (!durable.filter->listens_to(name)) continue;
    topic.durables_.push_back({durable.queue, durable.filter.get()});
  }
}

}  // namespace stompbox::routing

#pragma once

#include <string>
#include <vector>

#include "broker/routing/subscription.h"

namespace stompbox::routing {

// The subscriptions of one topic. Topics are not stored: each subscription keeps what it has no
// credit for, within a bound, and its peer is closed as too slow beyond it. Nothing is dropped
// silently.
class Topic {
 public:
  explicit Topic(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  void add(Subscription& subscription) { subscriptions_.push_back(&subscription); }
  void remove(Subscription& subscription) { std::erase(subscriptions_, &subscription); }
  [[nodiscard]] bool empty() const { return subscriptions_.empty(); }
  [[nodiscard]] const std::vector<Subscription*>& subscriptions() const { return subscriptions_; }
  [[nodiscard]] queue::Seq next_seq() { return {++last_seq_}; }

 private:
  const std::string name_;
  std::vector<Subscription*> subscriptions_;
  std::uint64_t last_seq_ = 0;
};

}  // namespace stompbox::routing

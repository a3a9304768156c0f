#include "broker/session/subscriptions.h"

#include <cassert>

namespace stompbox::session {

std::uint32_t Subscriptions::next_tag() {
  do {
    ++last_tag_;  // may come round: an old peer may still hold a low one
  } while (last_tag_ == 0 || by_tag_.contains(last_tag_));
  return last_tag_;
}

Subscription& Subscriptions::add(Subscription subscription) {
  const std::uint32_t tag = subscription.tag;
  if (subscription.id) {
    const bool is_new = live_by_id_.emplace(*subscription.id, tag).second;
    assert(is_new);
  }
  live_by_destination_.emplace(subscription.destination, tag);
  const auto [at, inserted] = by_tag_.emplace(tag, std::move(subscription));
  assert(inserted);
  return at->second;
}

void Subscriptions::end(Subscription& subscription) {
  if (subscription.ended) return;
  subscription.ended = true;
  if (subscription.id) live_by_id_.erase(*subscription.id);
  live_by_destination_.erase({subscription.destination, subscription.tag});
}

void Subscriptions::erase(std::uint32_t tag) {
  const auto at = by_tag_.find(tag);
  if (at == by_tag_.end()) return;
  end(at->second);
  by_tag_.erase(at);
}

void Subscriptions::clear() {
  by_tag_.clear();
  live_by_id_.clear();
  live_by_destination_.clear();
}

Subscription* Subscriptions::find(std::uint32_t tag) {
  const auto at = by_tag_.find(tag);
  return at == by_tag_.end() ? nullptr : &at->second;
}

Subscription* Subscriptions::find_live(std::string_view id) {
  const auto at = live_by_id_.find(std::string(id));
  return at == live_by_id_.end() ? nullptr : find(at->second);
}

Subscription* Subscriptions::find_oldest_of(std::string_view destination) {
  const auto at = live_by_destination_.lower_bound({std::string(destination), 0});
  if (at == live_by_destination_.end() || at->first != destination) return nullptr;
  return find(at->second);
}

}  // namespace stompbox::session

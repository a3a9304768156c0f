#include "broker/session/subscriptions.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace stompbox::session {

NearText::NearText(std::string_view text) {
  if (text.size() > kNearMax) {
    far_ = std::make_unique<std::string>(text);
    return;
  }
  std::copy(text.begin(), text.end(), near_.begin());
  size_ = static_cast<std::uint8_t>(text.size());
}

// Tags mostly come in turn and without gaps: then it is where the number says.
std::size_t Subscriptions::place_of(std::uint32_t tag) const {
  if (by_tag_.empty() || tag <= by_tag_.front().first) return 0;
  const std::size_t guess = tag - by_tag_.front().first;
  if (guess < by_tag_.size() && by_tag_[guess].first == tag) return guess;
  const auto at = std::lower_bound(
      by_tag_.begin(), by_tag_.end(), tag,
      [](const auto& entry, std::uint32_t wanted) { return entry.first < wanted; });
  return static_cast<std::size_t>(at - by_tag_.begin());
}

std::uint32_t Subscriptions::next_tag() {
  do {
    ++last_tag_;  // may come round: an old peer may still hold a low one
  } while (last_tag_ == 0 || find(last_tag_) != nullptr);
  return last_tag_;
}

Subscription& Subscriptions::add(std::unique_ptr<Subscription> subscription) {
  Subscription& added = *subscription;
  const std::uint32_t tag = added.tag;
  if (added.id) {
    const bool is_new = live_by_id_.emplace(*added.id, tag).second;
    assert(is_new);
  }
  live_by_destination_.emplace(added.destination, tag);
  text_bytes_ += added.text_bytes;
  const std::size_t place = place_of(tag);
  assert(place == by_tag_.size() || by_tag_[place].first != tag);
  by_tag_.emplace(by_tag_.begin() + static_cast<std::ptrdiff_t>(place), tag,
                  std::move(subscription));
  return added;
}

void Subscriptions::end(Subscription& subscription) {
  if (subscription.ended) return;
  subscription.ended = true;
  if (subscription.id) live_by_id_.erase(*subscription.id);
  live_by_destination_.erase({subscription.destination, subscription.tag});
}

void Subscriptions::erase(std::uint32_t tag) {
  const std::size_t place = place_of(tag);
  if (place == by_tag_.size() || by_tag_[place].first != tag) return;
  end(*by_tag_[place].second);
  text_bytes_ -= by_tag_[place].second->text_bytes;
  by_tag_.erase(by_tag_.begin() + static_cast<std::ptrdiff_t>(place));
}

void Subscriptions::clear() {
  by_tag_.clear();
  text_bytes_ = 0;
  live_by_id_.clear();
  live_by_destination_.clear();
}

Subscription* Subscriptions::find(std::uint32_t tag) {
  const std::size_t place = place_of(tag);
  const bool is_there = place < by_tag_.size() && by_tag_[place].first == tag;
  return is_there ? by_tag_[place].second.get() : nullptr;
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

Subscription* Subscriptions::find_durable(std::string_view name) {
  for (auto& [tag, subscription] : by_tag_) {
    if (!subscription->ended && subscription->durable_name == name) return subscription.get();
  }
  return nullptr;
}

}  // namespace stompbox::session

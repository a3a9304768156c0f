#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "broker/routing/router.h"

namespace stompbox::session {

// What a peer calls a subscription, and what routing calls it.
struct Subscription {
  std::uint32_t tag = 0;
  std::optional<std::string> id;  // 1.0 may have none
  std::string destination;        // as the SUBSCRIBE named it
  routing::AckMode ack_mode = routing::AckMode::kAuto;
  routing::Credit credit;
  routing::SubscriptionId number;
  // First lines of each of its MESSAGEs, in the peer's dialect.
  std::string message_head;
  bool started = false;  // deliveries may come
  bool ended = false;    // UNSUBSCRIBE came; deliveries in flight may still be acknowledged (F15)
};

// The subscriptions of one peer, by tag, by id and by destination. References live until erase.
class Subscriptions {
 public:
  // A tag that no subscription has.
  [[nodiscard]] std::uint32_t next_tag();
  // The id must not be live.
  Subscription& add(Subscription subscription);
  // It can be found by its tag only from now on.
  void end(Subscription& subscription);
  void erase(std::uint32_t tag);
  void clear();

  [[nodiscard]] Subscription* find(std::uint32_t tag);
  [[nodiscard]] Subscription* find_live(std::string_view id);
  // The oldest live one of that destination.
  [[nodiscard]] Subscription* find_oldest_of(std::string_view destination);

  [[nodiscard]] std::size_t size() const { return by_tag_.size(); }  // ended ones included
  // All that are live, once round in the order of tags, from behind `tag`. Stops when `visit` says
  // false. `visit` adds and erases nothing.
  template <typename Visit>
  void visit_live_from(std::uint32_t tag, Visit visit) {
    const auto first = by_tag_.upper_bound(tag);
    for (auto at = first; at != by_tag_.end(); ++at) {
      if (!at->second.ended && !visit(at->second)) return;
    }
    for (auto at = by_tag_.begin(); at != first; ++at) {
      if (!at->second.ended && !visit(at->second)) return;
    }
  }

 private:
  std::map<std::uint32_t, Subscription> by_tag_;
  std::unordered_map<std::string, std::uint32_t> live_by_id_;
  std::set<std::pair<std::string, std::uint32_t>> live_by_destination_;
  std::uint32_t last_tag_ = 0;
};

}  // namespace stompbox::session

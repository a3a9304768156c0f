#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/routing/router.h"

namespace stompbox::session {

// A short text that lies in its owner; a longer one lies elsewhere. Set once.
class NearText {
 public:
  NearText() = default;
  explicit NearText(std::string_view text);
  [[nodiscard]] std::string_view view() const {
    return far_ ? std::string_view(*far_) : std::string_view(near_.data(), size_);
  }

 private:
  static constexpr std::size_t kNearMax = 39;

  std::unique_ptr<std::string> far_;
  std::array<char, kNearMax> near_{};
  std::uint8_t size_ = 0;
};

// What a peer calls a subscription, and what routing calls it.
struct alignas(64) Subscription {
  // First what every delivery looks at, in three lines of the processor's cache: thousands of
  // subscriptions do not fit into it.
  std::uint32_t tag = 0;
  routing::AckMode ack_mode = routing::AckMode::kAuto;
  bool implied = false;    // by a reply-to, not by a SUBSCRIBE
  bool marks_end = false;  // a browse that is over when it has shown what was there
  bool started = false;    // deliveries may come
  bool ended = false;      // UNSUBSCRIBE came; deliveries in flight may still be acknowledged (F15)
  // First lines of each of its MESSAGEs, in the peer's dialect.
  NearText message_head;
  std::string seq_header;         // of the queue's sequence number; empty: not wanted
  std::string shown_destination;  // on MESSAGEs; empty: as the SEND named it (fact F5)
  std::string arrival_header;     // of the time of arrival; empty: not wanted
  routing::Credit credit;
  routing::SubscriptionId number;
  std::optional<std::string> id;  // 1.0 may have none
  std::string destination;        // as the SUBSCRIBE named it
  std::optional<std::string> durable_name;
  std::size_t text_bytes = 0;  // all its texts, as often as they are kept here and in routing
};

// The subscriptions of one peer, by tag, by id and by destination. References live until erase.
class Subscriptions {
 public:
  // A tag that no subscription has.
  [[nodiscard]] std::uint32_t next_tag();
  // The id must not be live.
  Subscription& add(std::unique_ptr<Subscription> subscription);
  // It can be found by its tag only from now on.
  void end(Subscription& subscription);
  void erase(std::uint32_t tag);
  void clear();

  [[nodiscard]] Subscription* find(std::uint32_t tag);
  [[nodiscard]] Subscription* find_live(std::string_view id);
  // The oldest live one of that destination.
  [[nodiscard]] Subscription* find_oldest_of(std::string_view destination);
  // A live one of that durable subscription; looks at each.
  [[nodiscard]] Subscription* find_durable(std::string_view name);

  [[nodiscard]] std::size_t size() const { return by_tag_.size(); }     // ended ones included
  [[nodiscard]] std::size_t text_bytes() const { return text_bytes_; }  // the same
  // All that are live, once round in the order of tags, from behind `tag`. Stops when `visit` says
  // false. `visit` adds and erases nothing.
  template <typename Visit>
  void visit_live_from(std::uint32_t tag, Visit visit) {
    const std::size_t first = tag == 0 ? 0 : place_of(tag + 1);
    for (std::size_t i = first; i < by_tag_.size(); ++i) {
      if (!by_tag_[i].second->ended && !visit(*by_tag_[i].second)) return;
    }
    for (std::size_t i = 0; i < first; ++i) {
      if (!by_tag_[i].second->ended && !visit(*by_tag_[i].second)) return;
    }
  }

 private:
  // Of the first whose tag is not below.
  [[nodiscard]] std::size_t place_of(std::uint32_t tag) const;

  // In the order of tags. Sorted and not a tree: every delivery looks one up.
  std::vector<std::pair<std::uint32_t, std::unique_ptr<Subscription>>> by_tag_;
  std::unordered_map<std::string, std::uint32_t> live_by_id_;
  std::set<std::pair<std::string, std::uint32_t>> live_by_destination_;
  std::uint32_t last_tag_ = 0;
  std::size_t text_bytes_ = 0;
};

}  // namespace stompbox::session

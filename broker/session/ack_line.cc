#include "broker/session/ack_line.h"

#include <algorithm>
#include <cassert>
#include <iterator>

namespace stompbox::session {

std::size_t AckLine::place_of(std::uint64_t delivery) const {
  if (is_at(head_, delivery)) return head_;
  const auto first = slots_.begin() + static_cast<std::ptrdiff_t>(head_);
  const auto found = std::lower_bound(
      first, slots_.end(), delivery,
      [](const Slot& slot, std::uint64_t wanted) { return slot.delivery < wanted; });
  return static_cast<std::size_t>(found - slots_.begin());
}

void AckLine::add(const Item& item) {
  assert(slots_.empty() || slots_.back().delivery < item.delivery.value);
  slots_.push_back(slot_of(item));
  ++waiting_;
}

std::optional<queue::MessageId> AckLine::find(routing::DeliveryId delivery) const {
  const std::size_t place = place_of(delivery.value);
  if (!is_at(place, delivery.value) || !slots_[place].waits) return std::nullopt;
  return queue::MessageId{slots_[place].message};
}

std::optional<queue::MessageId> AckLine::take(routing::DeliveryId delivery) {
  const std::size_t place = place_of(delivery.value);
  if (!is_at(place, delivery.value) || !slots_[place].waits) return std::nullopt;
  slots_[place].waits = false;
  --waiting_;
  const queue::MessageId message{slots_[place].message};
  tidy();
  return message;
}

void AckLine::drop_to(routing::DeliveryId last) {
  for (; head_ < slots_.size() && slots_[head_].delivery <= last.value; ++head_) {
    if (slots_[head_].waits) --waiting_;
  }
  tidy();
}

void AckLine::put_back(std::vector<Item> items) {
  waiting_ += items.size();
  std::erase_if(items, [this](const Item& item) {
    const std::size_t place = place_of(item.delivery.value);
    const bool has_gap = is_at(place, item.delivery.value);
    if (has_gap) slots_[place].waits = true;
    return has_gap;
  });
  if (!items.empty()) merge(items);
}

void AckLine::merge(const std::vector<Item>& items) {
  const auto is_before = [](const Slot& left, const Slot& right) {
    return left.delivery < right.delivery;
  };
  drop_head();
  const auto old_size = static_cast<std::ptrdiff_t>(slots_.size());
  std::transform(items.begin(), items.end(), std::back_inserter(slots_), slot_of);
  std::sort(slots_.begin() + old_size, slots_.end(), is_before);
  std::inplace_merge(slots_.begin(), slots_.begin() + old_size, slots_.end(), is_before);
}

// Gaps at the head are over at once; others, and the room before the head, when they are the most.
void AckLine::tidy() {
  while (head_ < slots_.size() && !slots_[head_].waits)
    ++head_;
  if (waiting_ == 0) {
    head_ = 0;
    slots_.clear();
    if (slots_.capacity() > kKeptSlots) slots_ = {};
    return;
  }
  if (slots_.size() <= kKeptSlots || waiting_ >= slots_.size() / 2) return;
  drop_head();
  std::erase_if(slots_, [](const Slot& slot) { return !slot.waits; });
}

void AckLine::drop_head() {
  slots_.erase(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(head_));
  head_ = 0;
}

}  // namespace stompbox::session

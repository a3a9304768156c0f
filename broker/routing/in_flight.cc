#include "broker/routing/in_flight.h"

#include <cassert>
#include <utility>

namespace stompbox::routing {

DeliveryId InFlight::add(Entry entry) {
  assert(count_ < kCountMax);
  std::uint32_t index = free_;
  if (index == kNone) {
    others_.emplace_back();
    index = static_cast<std::uint32_t>(others_.size());
  } else {
    free_ = at(index).next;
  }
  Slot& slot = at(index);
  slot.id = (++uses_ << kSlotBits) | index;
  slot.previous = tail_;
  slot.next = kNone;
  slot.entry = std::move(entry);
  if (tail_ == kNone) {
    head_ = index;
  } else {
    at(tail_).next = index;
  }
  tail_ = index;
  count_ += 1;
  bytes_ += slot.entry.bytes();
  total_bytes_ += slot.entry.bytes();
  return {slot.id};
}

std::uint32_t InFlight::slot_of(DeliveryId id) const {
  const auto index = static_cast<std::uint32_t>(id.value & ((1U << kSlotBits) - 1));
  if (id.value == 0 || index > others_.size() || at(index).id != id.value) return kNone;
  return index;
}

const Entry* InFlight::find(DeliveryId id) const {
  const std::uint32_t index = slot_of(id);
  return index == kNone ? nullptr : &at(index).entry;
}

Entry InFlight::take(DeliveryId id) {
  const std::uint32_t index = slot_of(id);
  assert(index != kNone);
  Slot& slot = at(index);
  (slot.previous == kNone ? head_ : at(slot.previous).next) = slot.next;
  (slot.next == kNone ? tail_ : at(slot.next).previous) = slot.previous;
  slot.id = 0;
  slot.next = free_;
  free_ = index;
  count_ -= 1;
  bytes_ -= slot.entry.bytes();
  total_bytes_ -= slot.entry.bytes();
  return std::exchange(slot.entry, Entry{});
}

std::optional<DeliveryId> InFlight::first() const {
  if (head_ == kNone) return std::nullopt;
  return DeliveryId{at(head_).id};
}

std::optional<DeliveryId> InFlight::last() const {
  if (tail_ == kNone) return std::nullopt;
  return DeliveryId{at(tail_).id};
}

std::optional<DeliveryId> InFlight::find_message(queue::MessageId message) const {
  for (std::uint32_t index = head_; index != kNone; index = at(index).next) {
    if (at(index).entry.message->id == message) return DeliveryId{at(index).id};
  }
  return std::nullopt;
}

bool InFlight::forget_store(const Queue& home, queue::Place place) {
  for (std::uint32_t index = head_; index != kNone; index = at(index).next) {
    Entry& entry = at(index).entry;
    if (entry.place != place || entry.home != &home) continue;
    entry.storing = Storing::kMemoryOnly;
    entry.debt = Debt{};
    return true;
  }
  return false;
}

void InFlight::make_homeless(Entry& entry) {
  entry.home = nullptr;
  entry.storing = Storing::kMemoryOnly;
  entry.debt = Debt{};
}

void InFlight::forget_homes() {
  for (std::uint32_t index = head_; index != kNone; index = at(index).next)
    make_homeless(at(index).entry);
}

void InFlight::forget_home(const Queue& home) {
  for (std::uint32_t index = head_; index != kNone; index = at(index).next) {
    if (at(index).entry.home == &home) make_homeless(at(index).entry);
  }
}

}  // namespace stompbox::routing

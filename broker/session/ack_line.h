#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "broker/routing/consumer.h"
#include "storage/queue/message.h"

namespace stompbox::session {

// The deliveries of one subscription that wait for an ACK, in order. Mostly the oldest is taken
// first: then every step costs constant time. What is taken from the middle leaves a gap, which the
// next that is put back or the next tidying fills, so that gaps never outnumber what waits.
class AckLine {
 public:
  struct Item {
    routing::DeliveryId delivery;
    queue::MessageId message;
  };

  // A later one than any that was added before.
  void add(const Item& item);
  // In any order; each was taken before, and none is here.
  void put_back(std::vector<Item> items);
  // The message of that delivery; nothing: it does not wait.
  [[nodiscard]] std::optional<queue::MessageId> find(routing::DeliveryId delivery) const;
  // The same, and it waits no longer.
  std::optional<queue::MessageId> take(routing::DeliveryId delivery);

  // Calls visit(item) for what waits up to `last`, the oldest first.
  template <typename Visit>
  void for_each_to(routing::DeliveryId last, Visit visit) const {
    for (std::size_t at = head_; at < slots_.size() && slots_[at].delivery <= last.value; ++at) {
      if (slots_[at].waits) visit(item_of(slots_[at]));
    }
  }
  // The same, and it waits no longer.
  template <typename Visit>
  void take_to(routing::DeliveryId last, Visit visit) {
    for_each_to(last, visit);
    drop_to(last);
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::size_t at = head_; at < slots_.size(); ++at) {
      if (slots_[at].waits) visit(item_of(slots_[at]));
    }
  }

  [[nodiscard]] std::size_t size() const { return waiting_; }
  [[nodiscard]] bool empty() const { return waiting_ == 0; }

 private:
  struct Slot {
    std::uint64_t delivery;
    std::uint64_t message;
    bool waits;  // else a gap
  };
  static constexpr std::size_t kKeptSlots = 16;  // memory that an empty line may keep

  static Item item_of(const Slot& slot) { return {{slot.delivery}, {slot.message}}; }
  static Slot slot_of(const Item& item) { return {item.delivery.value, item.message.value, true}; }
  // Of that delivery, waiting or a gap; else where it would stand.
  [[nodiscard]] std::size_t place_of(std::uint64_t delivery) const;
  [[nodiscard]] bool is_at(std::size_t place, std::uint64_t delivery) const {
    return place < slots_.size() && slots_[place].delivery == delivery;
  }
  void drop_to(routing::DeliveryId last);
  void merge(const std::vector<Item>& items);
  void tidy();
  void drop_head();

  std::vector<Slot> slots_;  // in the order of deliveries; those before head_ are over
  std::size_t head_ = 0;     // not a gap, or the end
  std::size_t waiting_ = 0;
};

}  // namespace stompbox::session

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "broker/routing/entry.h"
#include "broker/routing/fetch.h"

namespace stompbox::routing {

// What one subscription has outstanding, in order of delivery. Every step costs constant time but
// find_message; no allocation once it has grown. A DeliveryId is a slot and a count of uses, so
// that an id of the past is never mistaken for one of now.
class InFlight {
 public:
  // The most that fits: an id has 16 bits for the slot.
  static constexpr std::size_t kCountMax = 65'535;

  // `total_bytes` sums up what all subscriptions have in flight; it outlives this.
  explicit InFlight(std::size_t& total_bytes) : total_bytes_(total_bytes) {}

  [[nodiscard]] DeliveryId add(Entry entry);
  [[nodiscard]] const Entry* find(DeliveryId id) const;
  [[nodiscard]] Entry take(DeliveryId id);  // must be there
  [[nodiscard]] std::optional<DeliveryId> first() const;
  [[nodiscard]] std::optional<DeliveryId> last() const;
  // The delivery that carries that message; looks from the oldest on.
  [[nodiscard]] std::optional<DeliveryId> find_message(queue::MessageId message) const;

  // The message of that place will never be in the store; false if it is not here.
  bool forget_store(const Queue& home, queue::Place place);
  // Their queues are gone: what is outstanding is of no queue and in no store.
  void forget_homes();
  // The same of one queue.
  void forget_home(const Queue& home);

  // What most likely is the only one, fetched for a take() that is near.
  void fetch_first() const {
    if (const queue::Message* const message = first_.entry.message.get()) fetch<2>(message);
  }

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t total_bytes() const { return total_bytes_; }

  // Calls visit(entry) from the oldest to the newest.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::uint32_t slot = head_; slot != kNone; slot = at(slot).next)
      visit(at(slot).entry);
  }

 private:
  static constexpr std::uint32_t kNone = 0xffff'ffff;
  static constexpr unsigned kSlotBits = 16;

  struct Slot {
    Entry entry;
    std::uint64_t id = 0;  // 0: free
    std::uint32_t previous = kNone;
    std::uint32_t next = kNone;  // also links the free slots
  };

  [[nodiscard]] Slot& at(std::uint32_t slot) { return slot == 0 ? first_ : others_[slot - 1]; }
  [[nodiscard]] const Slot& at(std::uint32_t slot) const {
    return slot == 0 ? first_ : others_[slot - 1];
  }
  [[nodiscard]] std::uint32_t slot_of(DeliveryId id) const;
  static void make_homeless(Entry& entry);

  // One line of the processor's cache; the slot that is always used first lies behind it.
  std::size_t& total_bytes_;
  std::vector<Slot> others_;
  std::uint32_t head_ = kNone;
  std::uint32_t tail_ = kNone;
  std::uint32_t free_ = 0;
  std::uint32_t count_ = 0;
  std::uint64_t uses_ = 0;
  std::size_t bytes_ = 0;
  Slot first_;
};

}  // namespace stompbox::routing

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <variant>
#include <vector>

#include "storage/queue/journal.h"
#include "storage/queue/options.h"
#include "storage/queue/queue_store.h"

namespace stompbox::queue {

// Message::bytes() of what it appends.
[[nodiscard]] std::uint64_t append_bytes_of(const Op& op);

// Makes `next` a part of the run of erases, if it is the one behind it and as little in a hurry.
// Not for what is still to be appended: that is withdrawn or held one by one.
[[nodiscard]] bool joins(Erase& run, const Erase& next);

// What has been submitted and not been taken for writing, in order, and which of it is due. Pure:
// time is an argument. The committer guards it with its lock.
//
//   waiting ──take──▶ gone (in a batch)          A slot a ticket. On a full disk appends, groups
//   with
//      │ └─withdraw─▶ gone (cancelled)           appends, and whatever refers to one of these are
//      └──take, full─▶ held ──room again─▶ waiting   held: still in place, still to be withdrawn.
class Pending {
 public:
  using Clock = std::chrono::steady_clock;
  using TimePoint = Clock::time_point;

  // `options` are copied.
  explicit Pending(const JournalOptions& options) : options_(options) {}

  [[nodiscard]] Ticket add(Op op, TimePoint now);
  // One slot, always kNow.
  [[nodiscard]] Ticket add_group(std::vector<Op> ops, TimePoint now);
  // Goes with the next batch.
  void add_discards(std::vector<Discard> discards, Urgency urgency, TimePoint now);
  // A ticket for something that will never be written; nothing can be added any more.
  [[nodiscard]] Ticket refuse() { return Ticket{first_ticket_ + slots_.size() + refused_++}; }

  // True: the append was waiting or held, and is gone.
  [[nodiscard]] bool withdraw(Ticket ticket);

  // When take() has something to take; TimePoint::max() when nothing waits (held slots do not
  // count), TimePoint::min() when it is overdue.
  [[nodiscard]] TimePoint due() const { return due_; }
  // Whether a slot with an append waits or is held.
  [[nodiscard]] bool has_appends() const { return append_slots_ > 0; }
  [[nodiscard]] bool is_holding() const { return !held_.empty() || held_groups_ > 0; }

  struct Taken {
    StoreBatch batch;
    Durability durability = Durability::kWritten;
    std::uint64_t append_bytes = 0;
    // All submitted up to here is in this or an earlier batch, or cancelled.
    Ticket through;
    // The same of those without an append.
    Ticket removals_through;

    void clear();
  };
  // If anything is due, takes all that waits, in order and up to the bound of a batch; what is left
  // over is due at once. Under Room::kFull appends are held. `taken` is empty before.
  void take(TimePoint now, Room room, Taken& taken);
  // There is room: what was held waits again, in its place.
  void release_held();
  // Everything that waits is due: for a stop.
  void hurry();

  // Message::bytes() of the appends that wait or are held.
  [[nodiscard]] std::uint64_t append_bytes() const { return append_bytes_; }

 private:
  enum class SlotState : std::uint8_t { kWaiting, kHeld, kGone };
  using Group = std::vector<Op>;
  struct Slot {
    std::variant<Op, Group> ops;
    TimePoint deadline;
    std::uint64_t bytes = 0;         // what it counts in a batch
    std::uint64_t append_bytes = 0;  // of its appends
    bool has_append = false;
    SlotState state = SlotState::kWaiting;
  };
  struct PlaceInQueue {
    QueueId queue;
    Place place;
    friend bool operator==(const PlaceInQueue&, const PlaceInQueue&) = default;
  };
  struct PlaceHash {
    std::size_t operator()(const PlaceInQueue& key) const;
  };
  struct HeldAppend {
    std::uint64_t ticket = 0;
    bool in_group = false;
  };

  Ticket add_slot(Slot slot);
  [[nodiscard]] std::size_t index_of(std::uint64_t ticket) const {
    return static_cast<std::size_t>(ticket - first_ticket_);
  }
  [[nodiscard]] TimePoint deadline_of(Urgency urgency, TimePoint now) const;
  [[nodiscard]] bool anything_due(TimePoint now) const;
  void recompute_due();
  [[nodiscard]] bool refers_to_held(const Slot& slot) const;
  [[nodiscard]] bool refers_to_held(const Op& op) const;
  void hold(std::size_t index);
  // An erase of a held append: both are gone.
  [[nodiscard]] bool cancels_held(Slot& slot);
  // Appends of queues that this slot drops are gone with them.
  void cancel_dropped(const Slot& slot);
  [[nodiscard]] static std::span<const Op> ops_of(const Slot& slot);
  void drop(Slot& slot);
  void move_out(Slot& slot, Taken& taken);
  void pop_gone();

  const JournalOptions options_;

  // Slots of growing tickets; those before head_ are gone, those before scanned_ gone or held.
  std::vector<Slot> slots_;
  std::uint64_t first_ticket_ = 1;
  std::uint64_t refused_ = 0;
  std::size_t head_ = 0;
  std::size_t scanned_ = 0;
  std::uint64_t hurried_ = 0;  // all tickets up to this one are due

  std::vector<Discard> discards_;
  TimePoint discards_deadline_ = TimePoint::max();

  std::unordered_map<PlaceInQueue, HeldAppend, PlaceHash> held_;
  std::size_t held_groups_ = 0;
  std::size_t held_drops_ = 0;
  std::uint64_t first_held_removal_ = UINT64_MAX;  // the first held slot without an append

  TimePoint due_ = TimePoint::max();
  std::size_t append_slots_ = 0;
  std::uint64_t append_bytes_ = 0;
};

}  // namespace stompbox::queue

#include "storage/queue/pending.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <span>
#include <utility>

namespace stompbox::queue {
namespace {

constexpr std::uint64_t kSmallOpBytes =
    64;  // what a message that is not appended counts in a batch
constexpr std::size_t kGoneSlotsMax = 4096;  // at the front, before the rest moves up

Urgency urgency_of(const Op& op) {
  if (const auto* append = std::get_if<Append>(&op)) return append->urgency;
  if (const auto* erase = std::get_if<Erase>(&op)) return erase->urgency;
  return Urgency::kRide;
}

std::uint64_t batch_bytes_of(const Op& op) {
  const auto* erase = std::get_if<Erase>(&op);
  return kSmallOpBytes * (erase != nullptr ? erase->count : 1) + append_bytes_of(op);
}

bool needs_sync(const Op& op) {
  if (const auto* append = std::get_if<Append>(&op)) {
    return append->message->persistence == Persistence::kDurable;
  }
  const auto* erase = std::get_if<Erase>(&op);
  return erase != nullptr && erase->urgency == Urgency::kNow;
}

}  // namespace

std::uint64_t append_bytes_of(const Op& op) {
  const auto* append = std::get_if<Append>(&op);
  return append != nullptr ? append->message->bytes() : 0;
}

bool joins(Erase& run, const Erase& next) {
  constexpr std::uint32_t kRunMax = 4096;
  const Place behind{run.place.priority, Seq{run.place.seq.value + run.count}};
  const bool is_alike = run.queue == next.queue && run.bytes == next.bytes &&
                        run.persistence == next.persistence && run.urgency == next.urgency;
  if (!is_alike || behind != next.place || next.count != 1) return false;
  if (run.urgency != Urgency::kRide || run.count >= kRunMax) return false;
  ++run.count;
  return true;
}

void Pending::Taken::clear() {
  batch.clear();
  durability = Durability::kWritten;
  append_bytes = 0;
}

std::size_t Pending::PlaceHash::operator()(const PlaceInQueue& key) const {
  const std::uint64_t queue_and_class =
      (static_cast<std::uint64_t>(key.queue.value) << 8) | key.place.priority.value;
  return std::hash<std::uint64_t>{}(key.place.seq.value * 0x9e3779b97f4a7c15ULL ^ queue_and_class);
}

Ticket Pending::add(Op op, TimePoint now) {
  Slot slot;
  slot.has_append = std::holds_alternative<Append>(op);
  slot.append_bytes = append_bytes_of(op);
  slot.bytes = batch_bytes_of(op);
  slot.deadline = deadline_of(urgency_of(op), now);
  slot.ops = std::move(op);
  return add_slot(std::move(slot));
}

Ticket Pending::add_group(std::vector<Op> ops, TimePoint now) {
  Slot slot;
  for (const Op& op : ops) {
    slot.has_append = slot.has_append || std::holds_alternative<Append>(op);
    slot.append_bytes += append_bytes_of(op);
    slot.bytes += batch_bytes_of(op);
  }
  slot.deadline = deadline_of(Urgency::kNow, now);
  slot.ops = std::move(ops);
  return add_slot(std::move(slot));
}

Ticket Pending::add_slot(Slot slot) {
  due_ = std::min(due_, slot.deadline);
  append_bytes_ += slot.append_bytes;
  if (slot.has_append) ++append_slots_;
  slots_.push_back(std::move(slot));
  return Ticket{first_ticket_ + slots_.size() - 1};
}

void Pending::add_discards(std::vector<Discard> discards, Urgency urgency, TimePoint now) {
  if (discards.empty()) return;
  discards_deadline_ = std::min(discards_deadline_, deadline_of(urgency, now));
  discards_.insert(discards_.end(), std::make_move_iterator(discards.begin()),
                   std::make_move_iterator(discards.end()));
  due_ = std::min(due_, discards_deadline_);
}

Pending::TimePoint Pending::deadline_of(Urgency urgency, TimePoint now) const {
  switch (urgency) {
    case Urgency::kNow: break;
    case Urgency::kLinger: return now + options_.linger;
    case Urgency::kRide: return now + options_.ride;
  }
  return TimePoint::min();
}

bool Pending::withdraw(Ticket ticket) {
  if (ticket.value < first_ticket_ + head_ || ticket.value >= first_ticket_ + slots_.size()) {
    return false;
  }
  Slot& slot = slots_[index_of(ticket.value)];
  if (slot.state == SlotState::kGone) return false;
  const Op* op = std::get_if<Op>(&slot.ops);
  const Append* append = op != nullptr ? std::get_if<Append>(op) : nullptr;
  assert(append != nullptr);
  if (slot.state == SlotState::kHeld) held_.erase({append->queue, append->place});
  drop(slot);
  pop_gone();
  return true;
}

void Pending::take(TimePoint now, Room room, Taken& taken) {
  assert(taken.batch.empty());
  if (!anything_due(now)) {
    // What was withdrawn since counts as done, though there is nothing to write.
    taken.through = Ticket{first_ticket_ + head_ - 1};
    taken.removals_through = taken.through;
    recompute_due();
    return;
  }
  std::uint64_t bytes = 0;
  std::size_t index = std::max(scanned_, head_);
  for (; index < slots_.size(); ++index) {
    Slot& slot = slots_[index];
    if (slot.state == SlotState::kGone) continue;
    if (room == Room::kFull) {
      if (cancels_held(slot)) continue;
      if (slot.has_append || refers_to_held(slot)) {
        hold(index);
        continue;
      }
      cancel_dropped(slot);
    }
    if (bytes > 0 && bytes + slot.bytes > options_.batch_bytes_max) break;
    bytes += slot.bytes;
    move_out(slot, taken);
  }
  scanned_ = index;
  if (index < slots_.size()) hurried_ = first_ticket_ + slots_.size() - 1;
  taken.batch.discards = std::exchange(discards_, {});
  discards_deadline_ = TimePoint::max();
  const std::uint64_t scanned_through = first_ticket_ + index - 1;
  pop_gone();
  taken.through = Ticket{first_ticket_ + head_ - 1};
  taken.removals_through =
      Ticket{std::max(taken.through.value, std::min(scanned_through, first_held_removal_ - 1))};
  recompute_due();
}

bool Pending::anything_due(TimePoint now) const {
  if (!discards_.empty() && discards_deadline_ <= now) return true;
  for (std::size_t index = std::max(scanned_, head_); index < slots_.size(); ++index) {
    const Slot& slot = slots_[index];
    if (slot.state == SlotState::kGone) continue;
    if (slot.deadline <= now || first_ticket_ + index <= hurried_) return true;
  }
  return false;
}

void Pending::recompute_due() {
  due_ = discards_.empty() ? TimePoint::max() : discards_deadline_;
  for (std::size_t index = std::max(scanned_, head_); index < slots_.size(); ++index) {
    const Slot& slot = slots_[index];
    if (slot.state == SlotState::kGone) continue;
    due_ = std::min(due_, first_ticket_ + index <= hurried_ ? TimePoint::min() : slot.deadline);
    if (due_ == TimePoint::min()) return;
  }
}

void Pending::release_held() {
  for (std::size_t index = head_; index < std::min(scanned_, slots_.size()); ++index) {
    if (slots_[index].state != SlotState::kHeld) continue;
    slots_[index].state = SlotState::kWaiting;
    hurried_ = std::max(hurried_, first_ticket_ + index);
  }
  scanned_ = head_;
  held_.clear();
  held_groups_ = 0;
  held_drops_ = 0;
  first_held_removal_ = UINT64_MAX;
  recompute_due();
}

void Pending::hurry() {
  hurried_ = first_ticket_ + slots_.size() - 1;
  if (!discards_.empty()) discards_deadline_ = TimePoint::min();
  recompute_due();
}

std::span<const Op> Pending::ops_of(const Slot& slot) {
  if (const Op* op = std::get_if<Op>(&slot.ops)) return {op, 1};
  return std::get<Group>(slot.ops);
}

bool Pending::refers_to_held(const Slot& slot) const {
  if (held_.empty() && held_drops_ == 0) return false;
  const std::span<const Op> ops = ops_of(slot);
  return std::any_of(ops.begin(), ops.end(), [this](const Op& op) { return refers_to_held(op); });
}

bool Pending::refers_to_held(const Op& op) const {
  if (const auto* erase = std::get_if<Erase>(&op)) {
    return held_.contains({erase->queue, erase->place});
  }
  if (const auto* returned = std::get_if<Return>(&op)) {
    return held_.contains({returned->queue, returned->place});
  }
  // A group may use, or have made, the queue that is dropped; and a name must not come back before
  // the queue that had it is gone.
  if (std::holds_alternative<DropQueue>(op)) return held_groups_ > 0;
  return std::holds_alternative<CreateQueue>(op) && held_drops_ > 0;
}

void Pending::hold(std::size_t index) {
  Slot& slot = slots_[index];
  slot.state = SlotState::kHeld;
  const bool in_group = std::holds_alternative<Group>(slot.ops);
  if (in_group) ++held_groups_;
  if (!slot.has_append) first_held_removal_ = std::min(first_held_removal_, first_ticket_ + index);
  for (const Op& op : ops_of(slot)) {
    if (std::holds_alternative<DropQueue>(op)) ++held_drops_;
    const auto* append = std::get_if<Append>(&op);
    if (append == nullptr) continue;
    held_[{append->queue, append->place}] = {first_ticket_ + index, in_group};
  }
}

void Pending::cancel_dropped(const Slot& slot) {
  if (held_.empty()) return;
  for (const Op& op : ops_of(slot)) {
    const auto* dropped = std::get_if<DropQueue>(&op);
    if (dropped == nullptr) continue;
    std::erase_if(held_, [this, dropped](const auto& held) {
      if (held.first.queue != dropped->queue) return false;
      drop(slots_[index_of(held.second.ticket)]);
      return true;
    });
  }
}

bool Pending::cancels_held(Slot& slot) {
  const Op* op = std::get_if<Op>(&slot.ops);
  const Erase* erase = op != nullptr ? std::get_if<Erase>(op) : nullptr;
  if (erase == nullptr) return false;
  const auto found = held_.find({erase->queue, erase->place});
  if (found == held_.end() || found->second.in_group) return false;
  drop(slots_[index_of(found->second.ticket)]);
  held_.erase(found);
  drop(slot);
  return true;
}

void Pending::drop(Slot& slot) {
  append_bytes_ -= slot.append_bytes;
  if (slot.has_append) --append_slots_;
  slot.state = SlotState::kGone;
  slot.ops = Op{Return{}};  // lets the message go
}

void Pending::move_out(Slot& slot, Taken& taken) {
  append_bytes_ -= slot.append_bytes;
  taken.append_bytes += slot.append_bytes;
  if (slot.has_append) --append_slots_;
  slot.state = SlotState::kGone;
  if (Op* op = std::get_if<Op>(&slot.ops)) {
    if (needs_sync(*op)) taken.durability = Durability::kSynced;
    taken.batch.ops.push_back(std::move(*op));
    return;
  }
  taken.durability = Durability::kSynced;  // somebody asked for all of it or nothing
  Group& group = std::get<Group>(slot.ops);
  std::move(group.begin(), group.end(), std::back_inserter(taken.batch.ops));
  group.clear();
}

void Pending::pop_gone() {
  while (head_ < slots_.size() && slots_[head_].state == SlotState::kGone)
    ++head_;
  if (head_ < slots_.size() && head_ < std::max(kGoneSlotsMax, slots_.size() / 2)) return;
  first_ticket_ += head_;
  slots_.erase(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(head_));
  scanned_ -= std::min(scanned_, head_);
  head_ = 0;
}

}  // namespace stompbox::queue

#include "broker/routing/queue.h"

#include <algorithm>
#include <cassert>
#include <utility>

// What waits, and who gets it. Consumers stand in queue_seats.cc, pages in queue_pages.cc.
namespace stompbox::routing {

Queue::Queue(queue::QueueId id, std::string name, Residence& residence)
    : id_(id), name_(std::move(name)), residence_(residence), waiting_(residence) {}

Queue::Queue(const queue::QueueState& state, Residence& residence)
    : id_(state.queue),
      name_(state.name),
      residence_(residence),
      known_to_store_(true),
      first_(state.first),
      next_seq_(state.next_seq),
      found_before_(state.next_seq),
      waiting_(residence) {
  for (const queue::ClassState& found : state.classes) {
    if (found.message_count == 0) continue;
    Lane& lane = waiting_.lane(found.priority);
    lane.paged_count = found.message_count;
    lane.paged_bytes = found.message_bytes;
    lane.paged_from = found.first;
    lane.paged_to = {state.next_seq.value - 1};
  }
}

Queue::~Queue() = default;

queue::Place Queue::next_place(queue::PriorityClass priority) {
  const queue::Place place{priority, next_seq_};
  next_seq_.value += 1;
  return place;
}

bool Queue::known_to_store() {
  return std::exchange(known_to_store_, true);
}

bool Queue::nothing_paged() const {
  return waiting_.nothing_paged();
}

bool Queue::nothing_waits() const {
  return waiting_.count() == 0 && waiting_.nothing_paged();
}

// What could be given from memory has been given, so only its own lane can stand before it: with
// something paged, or not synced.
Seat* Queue::taker_for(Entry& entry) {
  if (entry.grouped && !has_groups_) {
    has_groups_ = true;
    update_mode();
  }
  if (drain_left_ > 0) return nullptr;
  if (choosy_) {
    Seat* const seat = choosy_->taker_for(entry);
    if (seat != nullptr) hold_if_beyond(entry.place);
    return seat;
  }
  const Lane* const lane = waiting_.find_lane(entry.place.priority);
  if (lane != nullptr && (lane->resident_count() > 0 || lane->paged_count > 0)) return nullptr;
  Seat* const seat = ring_.first();
  if (seat != nullptr) Turns::leave(*seat);
  return seat;
}

// In a lane that has something paged, a page may bring what is not paged.
void Queue::hold_if_beyond(queue::Place place) {
  Lane& lane = waiting_.lane(place.priority);
  if (lane.is_beyond(place.seq)) lane.held.insert(place.seq.value);
}

bool Queue::keep(Entry& entry) {
  if (entry.grouped && !has_groups_) {
    has_groups_ = true;
    update_mode();
  }
  const queue::Place place = entry.place;
  if (choosy_) {
    if (!choosy_->keep(entry)) return false;
    hold_if_beyond(place);
    return true;
  }
  Lane& lane = waiting_.lane(place.priority);
  if (lane.paged_count > 0 || !waiting_.has_room(Waiting::Share::kWhole)) return false;
  waiting_.push_fresh(std::move(entry));
  return true;
}

void Queue::push_paged(const Entry& entry) {
  if (choosy_) choosy_->note_paged(entry);
  waiting_.lane(entry.place.priority).push_paged(entry.place.seq, entry.bytes());
  paged_expiry_.next_ms = std::min(paged_expiry_.next_ms, expiry_of(*entry.message));
  paged_expiry_.next_found_ms = std::min(paged_expiry_.next_found_ms, expiry_of(*entry.message));
}

void Queue::store_sparse(Entry entry) {
  entry.first_of_group = false;
  if (choosy_) {
    choosy_->park(std::move(entry));
  } else {
    waiting_.push_sparse(std::move(entry));
  }
}

void Queue::push_returned(Entry entry) {
  store_sparse(std::move(entry));
}

void Queue::push_delayed(Entry entry, std::int64_t not_before_ms) {
  waiting_.gain(entry);
  const std::pair key{not_before_ms, entry.place};
  delayed_.emplace(key, std::move(entry));
}

void Queue::wake_delayed() {
  while (!delayed_.empty() && delayed_.begin()->first.first <= now_ms_) {
    Entry entry = std::move(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    waiting_.lose(entry);
    store_sparse(std::move(entry));
  }
}

std::optional<Dispatch> Queue::next_dispatch(std::int64_t now_ms, queue::Ticket committed) {
  now_ms_ = now_ms;
  if (!delayed_.empty()) wake_delayed();
  if (!erased_.empty()) prune_held(committed);
  if (drain_left_ > 0) return std::nullopt;
  if (!choosy_) return waiting_.count() == 0 ? std::nullopt : next_plain(committed);
  auto dispatch = choosy_->next(now_ms, committed);
  if (choosy_->takes_commit_flag()) waits_for_commit_ = true;
  return dispatch;
}

std::optional<Dispatch> Queue::next_plain(queue::Ticket committed) {
  Seat* const seat = ring_.first();
  if (seat == nullptr) return std::nullopt;
  for (Lane& lane : waiting_.lanes()) {
    while (const Entry* next = lane.front()) {
      if (next->visible_after > committed) {
        waits_for_commit_ = true;
        break;
      }
      if (!routing::has_expired(*next->message, now_ms_)) {
        Turns::leave(*seat);
        return Dispatch{seat, waiting_.take_front(lane)};
      }
      expired_.push_back(waiting_.take_front(lane));
    }
  }
  return std::nullopt;
}

void Queue::on_erase(queue::Place place, queue::Ticket erase) {
  last_erase_ = erase;
  const Lane* const lane = waiting_.find_lane(place.priority);
  if (lane != nullptr && lane->held.contains(place.seq.value)) erased_.emplace_back(erase, place);
}

void Queue::on_withdrawn(queue::Place place) {
  const Lane* const lane = waiting_.find_lane(place.priority);
  if (lane == nullptr || lane->held.empty()) return;
  waiting_.lane(place.priority).held.erase(place.seq.value);
}

// Not while a page is under way: it may have been read before.
void Queue::prune_held(queue::Ticket committed) {
  if (load_.under_way || (choosy_ && choosy_->has_page())) return;
  while (!erased_.empty() && erased_.front().first <= committed) {
    const queue::Place place = erased_.front().second;
    waiting_.lane(place.priority).held.erase(place.seq.value);
    erased_.pop_front();
  }
}

std::vector<Entry> Queue::take_expired(std::int64_t now_ms) {
  constexpr std::size_t kAtOnceMax = 1000;
  now_ms_ = now_ms;
  std::vector<Entry> taken = std::exchange(expired_, {});
  const std::size_t known = taken.size();
  waiting_.sweep(now_ms, kAtOnceMax, taken);
  if (!choosy_) return taken;
  for (std::size_t i = known; i < taken.size(); ++i)
    choosy_->unpark(taken[i]);
  return taken;
}

std::optional<std::int64_t> Queue::next_event_ms() const {
  std::int64_t next = expired_.empty() ? waiting_.next_expiry_ms() : now_ms_;
  if (!delayed_.empty()) next = std::min(next, delayed_.begin()->first.first);
  if (!load_.under_way && paged_expiry_.next_ms != kNoDate) {
    next = std::min(next, std::max(paged_expiry_.next_ms, paged_expiry_.not_before_ms));
  }
  return next == kNoDate ? std::nullopt : std::optional(next);
}

void Queue::drain(std::uint64_t count_max) {
  drain_left_ = std::min(count_max, waiting_count());
  update_mode();
}

std::optional<Entry> Queue::next_drained(queue::Ticket committed) {
  std::optional<Entry> entry;
  if (drain_left_ == 0) return entry;
  for (Lane& lane : waiting_.lanes()) {
    const Entry* const next = lane.front();
    if (next == nullptr) continue;
    if (next->visible_after <= committed) {
      entry = waiting_.take_front(lane);
      break;
    }
    waits_for_commit_ = true;
  }
  if (!entry && !delayed_.empty()) {
    entry = std::move(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    waiting_.lose(*entry);
  }
  if (entry) drain_left_ -= 1;
  if (waiting_count() == 0) drain_left_ = 0;
  if (drain_left_ == 0) update_mode();
  return entry;
}

std::optional<Entry> Queue::drop_oldest() {
  auto& lanes = waiting_.lanes();
  for (auto lane = lanes.rbegin(); lane != lanes.rend(); ++lane) {
    if (lane->resident_count() == 0) continue;
    Entry entry = waiting_.take_front(*lane);
    if (choosy_) choosy_->unpark(entry);
    return entry;
  }
  return std::nullopt;
}

bool Queue::remove_waiting(queue::Place place) {
  if (const auto entry = waiting_.take(place)) {
    if (choosy_) choosy_->unpark(*entry);
    on_withdrawn(place);
    return true;
  }
  const auto found = std::find_if(delayed_.begin(), delayed_.end(), [place](const auto& delayed) {
    return delayed.second.place == place;
  });
  if (found == delayed_.end()) return false;
  waiting_.lose(found->second);
  delayed_.erase(found);
  on_withdrawn(place);
  return true;
}

QueueFigures Queue::figures() const {
  QueueFigures figures;
  figures.name = name_;
  figures.waiting = waiting_count();
  figures.in_flight = in_flight;
  figures.resident = resident_count();
  figures.bytes = total_bytes();
  figures.consumers = consumers_.size();
  figures.enqueued = enqueued;
  figures.acknowledged = acknowledged;
  figures.returned = returned_total;
  const auto note = [&figures](const Entry& entry) {
    const std::int64_t arrived = entry.message->arrived_ms;
    if (!figures.oldest_arrived_ms || arrived < *figures.oldest_arrived_ms) {
      figures.oldest_arrived_ms = arrived;
    }
  };
  for (const Lane& lane : waiting_.lanes()) {
    if (!lane.sparse.empty()) note(lane.sparse.begin()->second);
    if (!lane.fresh.empty()) note(lane.fresh.front());
  }
  return figures;
}

}  // namespace stompbox::routing

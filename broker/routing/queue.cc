#include "broker/routing/queue.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace stompbox::routing {

Queue::Queue(queue::QueueId id, std::string name, std::size_t& resident_total)
    : id_(id), name_(std::move(name)), resident_total_(resident_total) {}

Queue::Queue(const queue::QueueState& state, std::size_t& resident_total)
    : id_(state.queue),
      name_(state.name),
      resident_total_(resident_total),
      known_to_store_(true),
      first_(state.first),
      next_seq_(state.next_seq),
      found_before_(state.next_seq),
      paged_count_(state.message_count),
      paged_bytes_(state.message_bytes),
      paged_from_(state.first) {}

void Queue::gain(std::size_t bytes) {
  resident_bytes_ += bytes;
  resident_total_ += bytes;
}

void Queue::lose(std::size_t bytes) {
  assert(resident_bytes_ >= bytes && resident_total_ >= bytes);
  resident_bytes_ -= bytes;
  resident_total_ -= bytes;
}

queue::Place Queue::next_place() {
  const queue::Place place{queue::PriorityClass{}, next_seq_};
  next_seq_.value += 1;
  return place;
}

bool Queue::known_to_store() {
  return std::exchange(known_to_store_, true);
}

bool Queue::nothing_paged() const {
  return paged_count_ == 0 && !load_under_way_;
}

bool Queue::nothing_waits() const {
  return fresh_.empty() && returned_.empty() && nothing_paged();
}

void Queue::push_fresh(Entry entry) {
  assert(nothing_paged());
  assert(fresh_.empty() || fresh_.back().place < entry.place);
  gain(entry.bytes());
  fresh_.push_back(std::move(entry));
}

void Queue::push_paged(queue::Place place, std::size_t bytes) {
  // A page that is under way may still bring this one: then it has to be asked for from there on.
  if (nothing_paged()) paged_from_ = place;
  paged_count_ += 1;
  paged_bytes_ += bytes;
}

void Queue::push_returned(Entry entry) {
  gain(entry.bytes());
  const queue::Place place = entry.place;
  const bool is_new = returned_.emplace(place, std::move(entry)).second;
  assert(is_new);
}

std::optional<Entry> Queue::pop() {
  const bool has_fresh = !fresh_.empty();
  if (!returned_.empty() && (!has_fresh || returned_.begin()->first < fresh_.front().place)) {
    Entry entry = std::move(returned_.begin()->second);
    returned_.erase(returned_.begin());
    lose(entry.bytes());
    return entry;
  }
  if (!has_fresh) return std::nullopt;
  Entry entry = std::move(fresh_.front());
  fresh_.pop_front();
  lose(entry.bytes());
  return entry;
}

bool Queue::remove_waiting(queue::Place place) {
  if (auto found = returned_.find(place); found != returned_.end()) {
    lose(found->second.bytes());
    returned_.erase(found);
    return true;
  }
  auto found = std::lower_bound(
      fresh_.begin(), fresh_.end(), place,
      [](const Entry& entry, const queue::Place& wanted) { return entry.place < wanted; });
  if (found == fresh_.end() || found->place != place) return false;
  lose(found->bytes());
  fresh_.erase(found);
  return true;
}

bool Queue::is_paged(queue::Place place) const {
  return paged_count_ > 0 && !(place < paged_from_);
}

void Queue::remove_paged(std::size_t bytes) {
  assert(paged_count_ > 0);
  paged_count_ -= 1;
  paged_bytes_ -= std::min<std::uint64_t>(paged_bytes_, bytes);
}

std::optional<queue::LoadRequest> Queue::want_load(std::size_t low_water, std::size_t count_max,
                                                   std::size_t bytes_max, queue::Ticket committed) {
  if (paged_count_ == 0 || load_under_way_ || waits_for_commit_ || fresh_.size() > low_water) {
    return std::nullopt;
  }
  load_under_way_ = true;
  committed_when_asked_ = committed;
  return queue::LoadRequest{id_, paged_from_, count_max, bytes_max, 0};
}

void Queue::on_loaded(queue::LoadedPage& page, queue::Ticket committed, queue::Ticket submitted) {
  load_under_way_ = false;
  for (queue::LoadedMessage& loaded : page.messages) {
    Entry entry;
    entry.place = loaded.place;
    entry.message = std::move(loaded.message);
    entry.deliveries = loaded.deliveries;
    entry.storing = Storing::kTogether;
    entry.redelivered = loaded.deliveries > 0 || loaded.place.seq < found_before_;
    paged_from_ = {loaded.place.priority, queue::Seq{loaded.place.seq.value + 1}};
    paged_count_ -= std::min<std::uint64_t>(paged_count_, 1);
    paged_bytes_ -= std::min<std::uint64_t>(paged_bytes_, entry.bytes());
    gain(entry.bytes());
    fresh_.push_back(std::move(entry));
  }
  if (page.more) paged_count_ = std::max<std::uint64_t>(paged_count_, 1);
  if (page.error && page.messages.empty()) {
    waits_for_commit_ = true;  // asking again at once would give the same answer
    return;
  }
  if (page.more || page.error || paged_count_ == 0) return;
  // The end of what the reader saw was reached and something is missing.
  if (committed_when_asked_ >= submitted) {
    // All was there to be seen: the store has counted what it cannot give.
    paged_count_ = 0;
    paged_bytes_ = 0;
  } else if (committed < submitted) {
    waits_for_commit_ = true;  // it is on its way to the disk
  }
  // Else it was committed after the reader had looked: the next page brings it.
}

void Queue::add_consumer(Subscription& subscription) {
  consumers_.push_back(&subscription);
}

void Queue::remove_consumer(Subscription& subscription) {
  std::erase(consumers_, &subscription);
  if (subscription.in_ring) std::erase(ring_, &subscription);
  subscription.in_ring = false;
}

void Queue::offer_turn(Subscription& subscription) {
  if (subscription.in_ring || !subscription.has_credit()) return;
  subscription.in_ring = true;
  ring_.push_back(&subscription);
}

Subscription* Queue::next_turn() {
  while (!ring_.empty()) {
    Subscription* subscription = ring_.front();
    ring_.pop_front();
    subscription->in_ring = false;
    if (subscription->has_credit()) return subscription;
  }
  return nullptr;
}

QueueFigures Queue::figures() const {
  QueueFigures figures;
  figures.name = name_;
  figures.waiting = waiting_count();
  figures.in_flight = in_flight;
  figures.resident = resident_count();
  figures.bytes = resident_bytes_ + paged_bytes_ + in_flight_bytes;
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
  if (!returned_.empty()) note(returned_.begin()->second);
  if (!fresh_.empty()) note(fresh_.front());
  return figures;
}

}  // namespace stompbox::routing

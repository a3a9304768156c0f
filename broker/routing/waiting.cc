#include "broker/routing/waiting.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace stompbox::routing {

Lane& Waiting::lane(queue::PriorityClass priority) {
  const auto found = std::find_if(lanes_.begin(), lanes_.end(), [priority](const Lane& lane) {
    return lane.priority >= priority;
  });
  if (found != lanes_.end() && found->priority == priority) return *found;
  Lane made;
  made.priority = priority;
  return *lanes_.insert(found, std::move(made));
}

const Lane* Waiting::find_lane(queue::PriorityClass priority) const {
  for (const Lane& lane : lanes_) {
    if (lane.priority == priority) return &lane;
  }
  return nullptr;
}

bool Waiting::has_room(Share share) const {
  const std::size_t part = share == Share::kHalf ? 2 : 1;
  return count_ < residence_.queue_count_max / part + (part - 1) &&
         bytes_ < residence_.queue_bytes_max / part && !residence_.is_short();
}

void Waiting::gain(const Entry& entry) {
  count_ += 1;
  bytes_ += entry.bytes();
  residence_.total_bytes += entry.bytes();
  next_expiry_ms_ = std::min(next_expiry_ms_, expiry_of(*entry.message));
}

void Waiting::lose(const Entry& entry) {
  assert(count_ > 0 && bytes_ >= entry.bytes() && residence_.total_bytes >= entry.bytes());
  count_ -= 1;
  bytes_ -= entry.bytes();
  residence_.total_bytes -= entry.bytes();
}

void Waiting::push_fresh(Entry entry) {
  gain(entry);
  Lane& home = lane(entry.place.priority);
  assert(home.fresh.empty() || home.fresh.back().place < entry.place);
  home.fresh.push_back(std::move(entry));
}

void Waiting::push_sparse(Entry entry) {
  gain(entry);
  const queue::Place place = entry.place;
  const bool is_new = lane(place.priority).sparse.emplace(place.seq, std::move(entry)).second;
  assert(is_new);
}

Entry Waiting::take_front(Lane& lane) {
  const bool is_sparse =
      !lane.sparse.empty() &&
      (lane.fresh.empty() || lane.sparse.begin()->first < lane.fresh.front().place.seq);
  if (is_sparse) {
    Entry entry = std::move(lane.sparse.begin()->second);
    lane.sparse.erase(lane.sparse.begin());
    lose(entry);
    return entry;
  }
  assert(!lane.fresh.empty());
  Entry entry = std::move(lane.fresh.front());
  lane.fresh.pop_front();
  lose(entry);
  return entry;
}

std::optional<Entry> Waiting::take(queue::Place place) {
  Lane& home = lane(place.priority);
  if (const auto found = home.sparse.find(place.seq); found != home.sparse.end()) {
    Entry entry = std::move(found->second);
    home.sparse.erase(found);
    lose(entry);
    return entry;
  }
  const auto found = std::lower_bound(
      home.fresh.begin(), home.fresh.end(), place,
      [](const Entry& entry, const queue::Place& wanted) { return entry.place < wanted; });
  if (found == home.fresh.end() || found->place != place) return std::nullopt;
  Entry entry = std::move(*found);
  home.fresh.erase(found);
  lose(entry);
  return entry;
}

const Entry* Waiting::find_sparse(queue::Place place) const {
  const Lane* home = find_lane(place.priority);
  if (home == nullptr) return nullptr;
  const auto found = home->sparse.find(place.seq);
  return found == home->sparse.end() ? nullptr : &found->second;
}

void Waiting::make_all_sparse() {
  for (Lane& lane : lanes_) {
    for (Entry& entry : lane.fresh) {
      const queue::Seq seq = entry.place.seq;
      lane.sparse.emplace(seq, std::move(entry));
    }
    lane.fresh.clear();
  }
}

void Waiting::page_out(const Entry& entry) {
  Lane& home = lane(entry.place.priority);
  if (home.paged_count == 0) {
    home.held.clear();
    home.paged_from = entry.place.seq;
    home.paged_to = entry.place.seq;
  }
  home.paged_from = std::min(home.paged_from, entry.place.seq);
  home.paged_to = std::max(home.paged_to, entry.place.seq);
  home.held.erase(entry.place.seq.value);
  home.paged_count += 1;
  home.paged_bytes += entry.bytes();
}

void Waiting::sweep(std::int64_t now_ms, std::size_t count_max, std::vector<Entry>& expired) {
  if (next_expiry_ms_ > now_ms) return;
  const std::size_t size_max = expired.size() + count_max;
  std::int64_t next = kNoDate;
  // Takes it out if it is due, else takes note of its date.
  const auto take_due = [&](Entry& entry) {
    if (!has_expired(*entry.message, now_ms) || expired.size() == size_max) {
      next = std::min(next, expiry_of(*entry.message));
      return false;
    }
    lose(entry);
    expired.push_back(std::move(entry));
    return true;
  };
  for (Lane& lane : lanes_) {
    for (auto at = lane.sparse.begin(); at != lane.sparse.end();)
      at = take_due(at->second) ? lane.sparse.erase(at) : std::next(at);
    std::deque<Entry> kept;
    for (Entry& entry : lane.fresh) {
      if (!take_due(entry)) kept.push_back(std::move(entry));
    }
    lane.fresh = std::move(kept);
  }
  next_expiry_ms_ = next;
}

std::uint64_t Waiting::paged_count() const {
  std::uint64_t sum = 0;
  for (const Lane& lane : lanes_)
    sum += lane.paged_count;
  return sum;
}

std::uint64_t Waiting::paged_bytes() const {
  std::uint64_t sum = 0;
  for (const Lane& lane : lanes_)
    sum += lane.paged_bytes;
  return sum;
}

bool Waiting::nothing_paged() const {
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [](const Lane& lane) { return lane.paged_count == 0; });
}

}  // namespace stompbox::routing

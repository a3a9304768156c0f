#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "broker/routing/choosy.h"
#include "broker/routing/subscription.h"

// Looking through what is in the store only, on behalf of hungry interests.
namespace stompbox::routing {
namespace {

constexpr queue::Seq kAllSeen{std::numeric_limits<std::uint64_t>::max()};

queue::Seq after(queue::Seq seq) {
  return {seq.value + 1};
}

}  // namespace

bool Choosy::has_unseen(const Interest& interest, queue::PriorityClass priority) const {
  if (!interest.is_behind) return false;
  const Interest::Unseen& unseen = interest.unseen[priority.value];
  if (!unseen.any()) return false;
  const Lane* const lane = waiting_.find_lane(priority);
  return lane != nullptr && lane->paged_count > 0 && lane->paged_from <= unseen.to;
}

// Whether it takes part in the page in hand.
bool Choosy::reads_along(const Interest& interest) const {
  if (!scan_ || interest.is_stuck || !has_unseen(interest, scan_->lane)) return false;
  const queue::Seq from = interest.unseen[scan_->lane.value].from;
  const Lane& lane = *waiting_.find_lane(scan_->lane);
  return std::max(from, lane.paged_from) >= scan_->from && from <= scan_->at;
}

// Of that class nothing is unseen for it before there.
queue::Seq Choosy::seen_to(const Interest& interest, queue::PriorityClass lane) const {
  if (!has_unseen(interest, lane)) return kAllSeen;
  const Interest::Unseen& unseen = interest.unseen[lane.value];
  const queue::Seq from = std::max(unseen.from, waiting_.find_lane(lane)->paged_from);
  if (!scan_ || scan_->lane != lane || !reads_along(interest)) return from;
  return scan_->at > unseen.to ? kAllSeen : std::max(scan_->at, from);
}

void Choosy::extend(Interest& interest, queue::PriorityClass lane, queue::Seq from, queue::Seq to) {
  const bool has_some = has_unseen(interest, lane);
  Interest::Unseen& unseen = interest.unseen[lane.value];
  unseen.from = has_some ? std::min(unseen.from, from) : from;
  unseen.to = has_some ? std::max(unseen.to, to) : to;
  list_behind(interest);
}

void Choosy::list_behind(Interest& interest) {
  if (std::exchange(interest.is_behind, true)) return;
  behind_.push_back(&interest);
}

void Choosy::note_paged(const Entry& entry) {
  match(entry, Absent::kIgnore, found_);
  for (Interest* interest : found_) {
    if (interest->seat_count == 0) continue;
    extend(*interest, entry.place.priority, entry.place.seq, entry.place.seq);
    wake(*interest);
  }
}

std::optional<queue::Place> Choosy::wants_page() {
  if (scan_) return std::nullopt;
  std::optional<queue::Place> best;
  std::erase_if(hungry_, [this, &best](Interest* interest) {
    for (const Lane& lane : waiting_.lanes()) {
      if (!has_unseen(*interest, lane.priority)) continue;
      if (interest->with_credit() == nullptr) break;
      const queue::Seq from = interest->unseen[lane.priority.value].from;
      const queue::Place place{lane.priority, std::max(from, lane.paged_from)};
      if (!best || place < *best) best = place;
      return false;
    }
    interest->is_hungry = false;
    return true;
  });
  return best;
}

void Choosy::look_through(Page page) {
  assert(!scan_);
  Scan scan;
  scan.lane = page.from.priority;
  scan.from = page.from.seq;
  scan.at = page.from.seq;
  scan.end = page.entries.empty() ? page.from.seq : after(page.entries.back().place.seq);
  scan.is_all = page.is_all;
  scan.entries = std::move(page.entries);
  scan_ = std::move(scan);
}

// One step through the page: gives the next message away, keeps it or leaves it.
std::optional<Dispatch> Choosy::look_on() {
  if (scan_->entries.empty()) {
    finish_scan(scan_->is_all ? kAllSeen : scan_->end);
    return std::nullopt;
  }
  Entry& entry = scan_->entries.front();
  Lane& lane = waiting_.lane(scan_->lane);
  scan_->at = entry.place.seq;
  if (!lane.is_paged(entry.place.seq)) {
    scan_->entries.pop_front();
    return std::nullopt;
  }
  if (has_expired(*entry.message, now_ms_)) {
    lane.hold_paged(entry.place.seq, entry.bytes());
    expired_.push_back(std::move(entry));
    scan_->entries.pop_front();
    return std::nullopt;
  }
  match(entry, Absent::kIgnore, found_);
  std::erase_if(found_, [this](const Interest* interest) {
    return interest->seat_count == 0 || !reads_along(*interest);
  });
  if (found_.empty()) {
    scan_->entries.pop_front();
    return std::nullopt;
  }
  if (wake_earlier(found_)) return std::nullopt;
  if (auto dispatch = give_from_page(found_)) return dispatch;
  keep_or_leave(found_);
  return std::nullopt;
}

// What was parked before this place may go now that the scan has come so far.
bool Choosy::wake_earlier(const Found& readers) {
  bool any = false;
  for (Interest* interest : readers) {
    if (interest->with_credit() == nullptr) continue;
    const auto earlier = first_allowed(*interest);
    if (!earlier || !(*earlier < scan_->entries.front().place)) continue;
    wake(*interest);
    any = true;
  }
  return any;
}

std::optional<Dispatch> Choosy::give_from_page(const Found& readers) {
  const Entry& entry = scan_->entries.front();
  Interest* best = nullptr;
  for (Interest* interest : readers) {
    const Seat* const seat = interest->with_credit();
    if (seat == nullptr) continue;
    // Something older of this class that is not synced yet stands before it.
    const auto parked = interest->parked.lower_bound({scan_->lane, queue::Seq{0}});
    if (parked != interest->parked.end() && *parked < entry.place) continue;
    const Seat* const other = best == nullptr ? nullptr : best->with_credit();
    const bool is_better =
        other == nullptr || seat->subscription->priority > other->subscription->priority ||
        (seat->subscription->priority == other->subscription->priority && seat->turn < other->turn);
    if (is_better) best = interest;
  }
  if (best == nullptr) return std::nullopt;
  Seat& seat = *best->with_credit();
  Dispatch dispatch{&seat, std::move(scan_->entries.front())};
  scan_->entries.pop_front();
  waiting_.lane(scan_->lane).hold_paged(dispatch.entry.place.seq, dispatch.entry.bytes());
  Turns::leave(seat);
  note_given(dispatch.entry, seat);
  return dispatch;
}

// Somebody asks for it and nobody has credit. Without room it stays where it is, and who asks for
// it has to come back here.
void Choosy::keep_or_leave(const Found& readers) {
  Entry entry = std::move(scan_->entries.front());
  scan_->entries.pop_front();
  if (waiting_.has_room(Waiting::Share::kWhole)) {
    waiting_.lane(scan_->lane).hold_paged(entry.place.seq, entry.bytes());
    park(std::move(entry));
    return;
  }
  const queue::Seq here = entry.place.seq;
  for (Interest* interest : readers) {
    interest->unseen[scan_->lane.value].from = here;
    interest->is_stuck = true;
  }
  const bool anybody_reads =
      std::any_of(behind_.begin(), behind_.end(), [this](Interest* interest) {
        return reads_along(*interest) && interest->with_credit() != nullptr;
      });
  if (!anybody_reads) finish_scan(after(here));
}

void Choosy::finish_scan(queue::Seq upto) {
  const queue::PriorityClass lane = scan_->lane;
  scan_->at = std::max(scan_->at, upto);
  for (Interest* interest : behind_) {
    if (!reads_along(*interest)) continue;
    Interest::Unseen& unseen = interest->unseen[lane.value];
    unseen.from = upto == kAllSeen ? after(unseen.to) : std::max(upto, unseen.from);
  }
  scan_.reset();
  for (Interest* interest : behind_)
    wake(*interest);
  std::erase_if(behind_, [this](Interest* interest) {
    interest->is_stuck = false;
    const auto& lanes = waiting_.lanes();
    interest->is_behind = std::any_of(lanes.begin(), lanes.end(), [&](const Lane& any) {
      return has_unseen(*interest, any.priority);
    });
    return !interest->is_behind;
  });
}

}  // namespace stompbox::routing

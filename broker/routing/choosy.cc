#include "broker/routing/choosy.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "broker/routing/subscription.h"

// What is parked, and who gets it.
namespace stompbox::routing {
namespace {

// Of two seats with credit.
bool comes_before(const Seat& one, const Seat& other) {
  if (one.subscription->priority != other.subscription->priority) {
    return one.subscription->priority > other.subscription->priority;
  }
  return one.turn < other.turn;
}

queue::Place end_of_lane(queue::PriorityClass lane) {
  return {queue::PriorityClass{static_cast<std::uint8_t>(lane.value + 1)}, queue::Seq{0}};
}

}  // namespace

Seat* Interest::with_credit() {
  if (kind != Kind::kOwn) return turns.first();
  return !owner->barred && owner->subscription->has_credit() ? owner : nullptr;
}

Choosy::Choosy(Waiting& waiting, std::vector<Entry>& expired)
    : waiting_(waiting), expired_(expired) {
  for (const Lane& lane : waiting_.lanes()) {
    assert(lane.fresh.empty());
    for (const auto& [seq, entry] : lane.sparse) {
      where_.emplace(entry.place, Found{});
      if (const auto id = group_of(entry)) group_named(*id).parked.insert(entry.place);
    }
  }
}

Choosy::~Choosy() = default;

void Choosy::offer(Seat& seat, std::uint64_t turn) {
  seat.interest->turns.offer(seat, turn);
  wake(*seat.interest);
  if (seat.own != nullptr) wake(*seat.own);
}

// It may have credit now, or something to take.
void Choosy::wake(Interest& interest) {
  if (!interest.parked.empty() && !interest.is_ready) {
    interest.is_ready = true;
    ready_.push_back(&interest);
  }
  if (interest.is_behind && !interest.is_hungry) {
    interest.is_hungry = true;
    hungry_.push_back(&interest);
  }
}

// Nothing of the same class waits for it, in memory or unseen: what could go at once has gone.
bool Choosy::may_take_new(const Interest& interest, queue::Place place) const {
  if (has_unseen(interest, place.priority)) return false;
  if (interest.parked.empty()) return true;
  const auto parked = interest.parked.lower_bound({place.priority, queue::Seq{0}});
  return parked == interest.parked.end() || parked->priority != place.priority;
}

Seat* Choosy::taker_for(Entry& entry) {
  match(entry, Absent::kIgnore, found_);
  Seat* best = nullptr;
  for (Interest* interest : found_) {
    Seat* const seat = interest->with_credit();
    if (seat == nullptr || (best != nullptr && !comes_before(*seat, *best))) continue;
    if (may_take_new(*interest, entry.place)) best = seat;
  }
  if (best == nullptr) return nullptr;
  Turns::leave(*best);
  note_given(entry, *best);
  return best;
}

bool Choosy::keep(Entry& entry) {
  match(entry, Absent::kIgnore, found_);
  const bool is_wanted = std::any_of(found_.begin(), found_.end(),
                                     [](const Interest* i) { return i->seat_count > 0; });
  if (!waiting_.has_room(is_wanted ? Waiting::Share::kWhole : Waiting::Share::kHalf)) return false;
  park(std::move(entry));
  return true;
}

void Choosy::park(Entry entry) {
  match(entry, Absent::kMake, found_);
  if (const auto id = group_of(entry)) group_named(*id).parked.insert(entry.place);
  const queue::Place place = entry.place;
  waiting_.push_sparse(std::move(entry));
  index(place, found_);
}

void Choosy::unpark(const Entry& entry) {
  unindex(entry.place);
  const auto id = group_of(entry);
  Groups::Group* const group = id ? groups_.find(*id) : nullptr;
  if (group == nullptr) return;
  group->parked.erase(entry.place);
  groups_.erase_if_empty(*group);
}

// The oldest that it may take, class by class: behind something unseen, or not synced yet, nothing
// of that class goes.
std::optional<queue::Place> Choosy::first_allowed(Interest& interest) {
  auto at = interest.parked.begin();
  while (at != interest.parked.end()) {
    if (at->seq < seen_to(interest, at->priority)) {
      const Entry* const entry = waiting_.find_sparse(*at);
      assert(entry != nullptr);
      if (entry->visible_after <= committed_) return *at;
      met_uncommitted_ = true;
      blocked_.insert(&interest);
    }
    at = interest.parked.lower_bound(end_of_lane(at->priority));
  }
  return std::nullopt;
}

void Choosy::on_committed(queue::Ticket through) {
  committed_ = through;
  for (Interest* interest : std::exchange(blocked_, {}))
    wake(*interest);
}

std::optional<Dispatch> Choosy::next(std::int64_t now_ms, queue::Ticket committed) {
  now_ms_ = now_ms;
  committed_ = committed;
  for (;;) {
    if (auto dispatch = next_parked()) return dispatch;
    if (!scan_) return std::nullopt;
    if (auto dispatch = look_on()) return dispatch;
  }
}

std::optional<Dispatch> Choosy::next_parked() {
  while (!ready_.empty()) {
    Interest& interest = *ready_.front();
    std::optional<queue::Place> place;
    if (interest.with_credit() != nullptr) place = first_allowed(interest);
    if (!place) {
      interest.is_ready = false;
      ready_.pop_front();
    } else if (!bury_if_expired(*place)) {
      return give_parked(interest, *place);
    }
  }
  return std::nullopt;
}

bool Choosy::bury_if_expired(queue::Place place) {
  if (!has_expired(*waiting_.find_sparse(place)->message, now_ms_)) return false;
  Entry entry = *waiting_.take(place);
  unpark(entry);
  expired_.push_back(std::move(entry));
  return true;
}

// `place` is the first of `asked`. The best of all for whom it is the first gets it; and if that
// seat has something older besides, that.
Dispatch Choosy::give_parked(Interest& asked, queue::Place place) {
  Interest* best = &asked;
  for (Interest* interest : where_.at(place)) {
    Seat* const seat = interest == best ? nullptr : interest->with_credit();
    if (seat == nullptr || !comes_before(*seat, *best->with_credit())) continue;
    if (first_allowed(*interest) == place) best = interest;
  }
  Seat& seat = *best->with_credit();
  Interest* const besides = best->kind == Interest::Kind::kOwn ? seat.interest : seat.own;
  if (besides != nullptr) {
    const auto older = first_allowed(*besides);
    const bool is_due = older && *older < place;
    if (is_due && !has_expired(*waiting_.find_sparse(*older)->message, now_ms_)) place = *older;
  }
  Dispatch dispatch{&seat, *waiting_.take(place)};
  Turns::leave(seat);
  unpark(dispatch.entry);
  note_given(dispatch.entry, seat);
  return dispatch;
}

}  // namespace stompbox::routing

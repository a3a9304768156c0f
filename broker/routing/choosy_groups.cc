#include <algorithm>
#include <cassert>
#include <utility>

#include "broker/routing/choosy.h"
#include "broker/routing/subscription.h"

// Message groups: a group binds what the selector of its owner lets through; the rest of it goes to
// anybody.
namespace stompbox::routing {

std::optional<std::string_view> Choosy::group_of(const Entry& entry) {
  if (!entry.grouped) return std::nullopt;
  return find_header(*entry.message, "JMSXGroupID", scratch_);
}

Interest* Choosy::owner_of(const Entry& entry) {
  const auto id = groups_.empty() ? std::nullopt : group_of(entry);
  const Groups::Group* const group = id ? groups_.find(*id) : nullptr;
  if (group == nullptr || group->owner == nullptr) return nullptr;
  const Seat& owner = *group->owner;
  return lets_through(*owner.interest, *entry.message) ? owner.own : nullptr;
}

Groups::Group& Choosy::group_named(std::string_view id) {
  if (groups_.find(id) == nullptr) {
    if (Groups::Group* const surplus = groups_.surplus()) {
      const std::string name(id);  // `id` may be a view of what release() uses
      release(*surplus);
      groups_.erase(*surplus);
      return groups_.use(name);
    }
  }
  return groups_.use(id);
}

void Choosy::note_given(Entry& entry, Seat& seat) {
  entry.first_of_group = false;
  const auto id = group_of(entry);
  if (!id) return;
  Groups::Group& group = group_named(*id);
  if (group.owner == nullptr) {
    entry.first_of_group = true;
    bind(group, seat);
  }
  if (group.owner == &seat && find_header(*entry.message, "JMSXGroupSeq", scratch_) == "-1") {
    release(group);
    groups_.erase_if_empty(group);
  }
}

// From now on its messages are for that seat alone, what is parked and what is unseen.
void Choosy::bind(Groups::Group& group, Seat& seat) {
  group.owner = &seat;
  if (seat.own == nullptr) {
    auto own = std::make_unique<Interest>();
    own->kind = Interest::Kind::kOwn;
    own->owner = &seat;
    own->seat_count = 1;
    seat.own = own.get();
    owns_.emplace(&seat, std::move(own));
  }
  for (const queue::Place place : group.parked) {
    const Found& under = where_.at(place);
    if (std::find(under.begin(), under.end(), seat.interest) == under.end()) continue;
    unindex(place);
    index(place, {seat.own});
  }
  widen(*seat.own, *seat.interest);
}

// Its messages are for anybody again.
void Choosy::release(Groups::Group& group) {
  if (group.owner == nullptr) return;
  Interest& own = *std::exchange(group.owner, nullptr)->own;
  for (const queue::Place place : group.parked) {
    const Found& under = where_.at(place);
    if (under.empty() || under.front() != &own) continue;
    unindex(place);
    Found found;
    match(*waiting_.find_sparse(place), Absent::kMake, found);
    index(place, found);
  }
  if (all_) widen(*all_, own);
  for (const auto& [text, interest] : others_)
    widen(*interest, own);
  for (const auto& [header, index] : indexes_) {
    index->values.for_each([this, &own](Interest& interest) { widen(interest, own); });
  }
}

// What is unseen for the one is from now on unseen for the other as well.
void Choosy::widen(Interest& interest, const Interest& by) {
  if (!by.is_behind || interest.seat_count == 0) return;
  for (const Lane& lane : waiting_.lanes()) {
    const queue::PriorityClass priority = lane.priority;
    if (!has_unseen(by, priority)) continue;
    const queue::Seq from = seen_to(by, priority);
    const queue::Seq to = by.unseen[priority.value].to;
    const queue::Seq mine = seen_to(interest, priority);
    extend(interest, priority, std::min(from, mine), to);
  }
  interest.is_stuck = scan_ && interest.is_behind && (interest.is_stuck || by.is_stuck);
  if (interest.with_credit() != nullptr) wake(interest);
}

}  // namespace stompbox::routing

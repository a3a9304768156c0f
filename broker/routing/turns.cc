#include "broker/routing/turns.h"

#include <algorithm>
#include <cassert>

#include "broker/routing/subscription.h"

namespace stompbox::routing {

Turns::Level& Turns::level_of(std::int32_t priority) {
  if (priority == kUsual) return usual_;
  if (!others_) others_ = std::make_unique<std::vector<Level>>();
  const auto found = std::find_if(others_->begin(), others_->end(), [priority](const Level& level) {
    return level.priority <= priority;
  });
  if (found != others_->end() && found->priority == priority) return *found;
  return *others_->insert(found, Level{priority});
}

void Turns::offer(Seat& seat, std::uint64_t turn) {
  assert(seat.turns == nullptr);
  Level& level = level_of(seat.subscription->priority);
  seat.turns = this;
  seat.turn = turn;
  seat.previous = level.last;
  seat.next = nullptr;
  (level.last == nullptr ? level.first : level.last->next) = &seat;
  level.last = &seat;
}

void Turns::leave(Seat& seat) {
  if (seat.turns == nullptr) return;
  Level& level = seat.turns->level_of(seat.subscription->priority);
  (seat.previous == nullptr ? level.first : seat.previous->next) = seat.next;
  (seat.next == nullptr ? level.last : seat.next->previous) = seat.previous;
  seat.turns = nullptr;
  seat.previous = nullptr;
  seat.next = nullptr;
}

Seat* Turns::first_of(Level& level) {
  while (level.first != nullptr) {
    if (level.first->subscription->has_credit()) return level.first;
    leave(*level.first);
  }
  return nullptr;
}

Seat* Turns::first() {
  return others_ ? first_of_all() : first_of(usual_);
}

Seat* Turns::first_of_all() {
  auto at = others_->begin();
  for (; at != others_->end() && at->priority > kUsual; ++at) {
    if (Seat* const seat = first_of(*at)) return seat;
  }
  if (Seat* const seat = first_of(usual_)) return seat;
  for (; at != others_->end(); ++at) {
    if (Seat* const seat = first_of(*at)) return seat;
  }
  return nullptr;
}

}  // namespace stompbox::routing

#include <algorithm>
#include <utility>

#include "broker/routing/queue.h"

// Who consumes, and whether that makes the queue choosy.
namespace stompbox::routing {

void Queue::add_consumer(Seat& seat) {
  const Subscription& subscription = *seat.subscription;
  consumers_.push_back(&seat);
  if (subscription.selector != nullptr) selector_count_ += 1;
  seat.barred = exclusive_ != nullptr;
  if (choosy_) choosy_->join(seat);
  update_mode();
  if (subscription.exclusivity == Exclusivity::kExclusive) choose_exclusive();
}

void Queue::remove_consumer(Seat& seat) {
  if (std::erase(consumers_, &seat) == 0) return;  // one that only looks never consumed
  if (seat.subscription->selector != nullptr) selector_count_ -= 1;
  if (choosy_) choosy_->leave(seat);
  Turns::leave(seat);
  if (consumers_.empty() && nothing_waits()) has_groups_ = false;
  update_mode();
  if (&seat == exclusive_) choose_exclusive();
  seat.barred = false;
}

// All goes to the first exclusive one of the highest priority; the others wait until it has gone.
void Queue::choose_exclusive() {
  Seat* best = nullptr;
  for (Seat* seat : consumers_) {
    if (seat->subscription->exclusivity != Exclusivity::kExclusive) continue;
    const bool is_better =
        best == nullptr || seat->subscription->priority > best->subscription->priority;
    if (is_better) best = seat;
  }
  if (best == exclusive_) return;
  exclusive_ = best;
  for (Seat* seat : consumers_) {
    seat->barred = best != nullptr && seat != best;
    if (seat->barred) Turns::leave(*seat);
  }
  offer_all();
}

void Queue::update_mode() {
  const bool is_needed =
      drain_left_ == 0 && !consumers_.empty() && (selector_count_ > 0 || has_groups_);
  if (is_needed == is_choosy()) return;
  for (Seat* seat : consumers_) {
    Turns::leave(*seat);
    seat->interest = nullptr;
    seat->own = nullptr;
  }
  if (is_needed) {
    waiting_.make_all_sparse();
    choosy_ = std::make_unique<Choosy>(waiting_, expired_);
    for (Seat* seat : consumers_)
      choosy_->join(*seat);
  } else {
    choosy_.reset();
  }
  offer_all();
}

void Queue::offer_turn(Seat& seat) {
  if (seat.subscription->browses) return;  // it looks, and takes nothing
  if (seat.turns != nullptr || seat.barred || !seat.subscription->has_credit()) return;
  last_turn_ += 1;
  if (choosy_) {
    choosy_->offer(seat, last_turn_);
  } else {
    ring_.offer(seat, last_turn_);
  }
}

void Queue::offer_all() {
  for (Seat* seat : consumers_)
    offer_turn(*seat);
}

}  // namespace stompbox::routing

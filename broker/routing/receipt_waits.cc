#include "broker/routing/receipt_waits.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace stompbox::routing {
namespace {

bool stands_before(const ReceiptWaits::Wait& wait, queue::Ticket ticket) {
  return wait.ticket < ticket;
}

}  // namespace

void ReceiptWaits::add(Wait wait) {
  assert(waits_.empty() || waits_.back().ticket <= wait.ticket);
  waits_.push_back(wait);
}

void ReceiptWaits::forget(queue::Ticket append) {
  const auto found = std::lower_bound(waits_.begin(), waits_.end(), append, stands_before);
  if (found != waits_.end() && found->ticket == append) found->debt = Debt{};
}

std::optional<Debt> ReceiptWaits::pop(queue::Ticket through) {
  while (!waits_.empty() && waits_.front().ticket <= through) {
    const Debt debt = waits_.front().debt;
    waits_.pop_front();
    if (debt.owed()) return debt;
  }
  return std::nullopt;
}

std::deque<ReceiptWaits::Wait> ReceiptWaits::take_appends() {
  std::deque<Wait> appends;
  std::deque<Wait> others;
  for (const Wait& wait : waits_) {
    if (!wait.debt.owed()) continue;
    (wait.queue ? appends : others).push_back(wait);
  }
  waits_ = std::move(others);
  return appends;
}

void ReceiptWaits::put_back(const Wait& wait) {
  waits_.insert(std::lower_bound(waits_.begin(), waits_.end(), wait.ticket, stands_before), wait);
}

}  // namespace stompbox::routing

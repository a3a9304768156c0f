#include "broker/routing/seat.h"

#include <algorithm>
#include <cassert>

namespace stompbox::routing {

Seat& Seats::add() {
  if (!has_first_) {
    has_first_ = true;
    first_ = Seat{};
    return first_;
  }
  others_.push_back(std::make_unique<Seat>());
  return *others_.back();
}

void Seats::remove(const Seat& seat) {
  if (has_first_ && &seat == &first_) {
    has_first_ = false;
    return;
  }
  const std::size_t gone =
      std::erase_if(others_, [&seat](const auto& other) { return other.get() == &seat; });
  assert(gone == 1);
}

void Seats::clear() {
  has_first_ = false;
  others_.clear();
}

}  // namespace stompbox::routing

#include "storage/queue/deferred.h"

#include <algorithm>

namespace stompbox::queue {

bool Deferred::add(std::uint64_t seq, std::uint64_t bytes) {
  DeadRange places{seq, seq + 1};
  if (!empty()) {
    places.from = std::min(places_.from, seq);
    places.to = std::max(places_.to, seq + 1);
  }
  if (places.length() > 2 * (count_ + 1) + kLoose) return false;
  places_ = places;
  ++count_;
  bytes_ += bytes;
  return true;
}

DeadRange Deferred::take(std::uint64_t count) {
  const DeadRange taken{places_.from, places_.from + std::min(count, places_.length())};
  if (taken.to == places_.to) {
    *this = {};
    return taken;
  }
  // The share of what is taken, for nobody knows which of the places it was.
  const std::uint64_t left = places_.to - taken.to;
  count_ = std::min(count_, left);
  bytes_ = bytes_ / places_.length() * left;
  places_.from = taken.to;
  return taken;
}

}  // namespace stompbox::queue

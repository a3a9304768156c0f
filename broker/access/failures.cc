#include "broker/access/failures.h"

#include <algorithm>

namespace stompbox::access {

void Failures::add(std::string_view address, TimePoint now) {
  if (addresses_max_ == 0) return;
  const std::uint32_t before = count(address, now);
  if (before == 0 && entries_.size() >= addresses_max_) make_room();
  Entry& entry = entries_[std::string(address)];
  entry.count = before + 1;
  entry.last = now;
}

void Failures::clear(std::string_view address) {
  entries_.erase(std::string(address));
}

Failures::TimePoint Failures::tell_at(std::string_view address, TimePoint now,
                                      std::chrono::milliseconds hold) {
  const auto found = entries_.find(std::string(address));
  if (found == entries_.end()) return now;
  const TimePoint when = std::max(now, found->second.held_until);
  found->second.held_until = when + hold;
  return when;
}

std::uint32_t Failures::count(std::string_view address, TimePoint now) const {
  const auto found = entries_.find(std::string(address));
  if (found == entries_.end() || now - found->second.last > memory_) return 0;
  return found->second.count;
}

void Failures::make_room() {
  const auto quietest =
      std::min_element(entries_.begin(), entries_.end(),
                       [](const auto& a, const auto& b) { return a.second.last < b.second.last; });
  if (quietest != entries_.end()) entries_.erase(quietest);
}

std::chrono::milliseconds hold_after(std::uint32_t failures, std::chrono::milliseconds shortest,
                                     std::chrono::milliseconds longest) {
  if (shortest.count() <= 0) return shortest;
  std::chrono::milliseconds hold = shortest;
  for (; failures > 0 && hold < longest; --failures)
    hold *= 2;
  return std::max(shortest, std::min(hold, longest));
}

}  // namespace stompbox::access

#include "storage/queue/live_map.h"

#include <algorithm>
#include <cassert>

namespace stompbox::queue {
namespace {

// The first range that ends at or behind `seq`: the one that holds or touches it, if any does.
std::vector<DeadRange>::const_iterator first_reaching(const std::vector<DeadRange>& ranges,
                                                      std::uint64_t seq) {
  return std::lower_bound(
      ranges.begin(), ranges.end(), seq,
      [](const DeadRange& range, std::uint64_t value) { return range.to < value; });
}

}  // namespace

LiveMap::LiveMap(std::uint64_t low, std::uint64_t next, const std::vector<DeadRange>& dead)
    : low_(std::max<std::uint64_t>(low, 1)), next_(std::max(next, low_)) {
  for (const DeadRange& range : dead)
    learn_dead(range.from, range.to);
}

void LiveMap::append(std::uint64_t seq) {
  assert(seq >= next_);
  const std::uint64_t jumped_from = next_;
  next_ = seq + 1;
  if (seq > jumped_from) learn_dead(jumped_from, seq);
}

bool LiveMap::erase(std::uint64_t seq) {
  if (skip_dead(seq) != seq || seq >= next_) return false;
  learn_dead(seq, seq + 1);
  return true;
}

void LiveMap::learn_dead(std::uint64_t from, std::uint64_t to) {
  from = std::max(from, low_);
  to = std::min(to, next_);
  if (from >= to) return;
  if (from == low_) {
    low_ = to;
    // The ranges that the bound has reached go with it.
    auto range = dead_.begin();
    while (range != dead_.end() && range->from <= low_) {
      low_ = std::max(low_, range->to);
      ++range;
    }
    dead_.erase(dead_.begin(), range);
    return;
  }
  insert_range({from, to});
}

void LiveMap::insert_range(DeadRange range) {
  const auto first = first_reaching(dead_, range.from);
  auto last = first;
  while (last != dead_.end() && last->from <= range.to) {
    range.from = std::min(range.from, last->from);
    range.to = std::max(range.to, last->to);
    ++last;
  }
  if (first == last) {
    dead_.insert(first, range);
    if (dead_.size() > kRangesMax) forget_shortest();
    return;
  }
  const auto place = dead_.begin() + (first - dead_.begin());
  *place = range;
  dead_.erase(place + 1, last);
}

// Of equal ones the last: those in front are needed first when low_ advances.
void LiveMap::forget_shortest() {
  auto shortest = dead_.begin();
  for (auto range = dead_.begin(); range != dead_.end(); ++range) {
    if (range->length() <= shortest->length()) shortest = range;
  }
  dead_.erase(shortest);
}

std::uint64_t LiveMap::skip_dead(std::uint64_t seq) const {
  if (seq < low_) return low_;
  if (seq >= next_) return next_;
  const auto range = first_reaching(dead_, seq + 1);
  return range != dead_.end() && range->from <= seq ? range->to : seq;
}

std::vector<DeadRange> LiveMap::longest_ranges(std::size_t count) const {
  if (dead_.size() <= count) return dead_;
  std::vector<DeadRange> longest = dead_;
  const auto middle = longest.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(longest.begin(), middle, longest.end(),
                   [](const DeadRange& a, const DeadRange& b) { return a.length() > b.length(); });
  longest.resize(count);
  std::sort(longest.begin(), longest.end(),
            [](const DeadRange& a, const DeadRange& b) { return a.from < b.from; });
  return longest;
}

}  // namespace stompbox::queue

#include "broker/routing/lane.h"

#include <algorithm>
#include <cassert>

namespace stompbox::routing {

const Entry* Lane::front() const {
  const Entry* first = fresh.empty() ? nullptr : &fresh.front();
  if (!sparse.empty() && (first == nullptr || sparse.begin()->first < first->place.seq)) {
    first = &sparse.begin()->second;
  }
  return first == nullptr || is_beyond(first->place.seq) ? nullptr : first;
}

void Lane::push_paged(queue::Seq seq, std::size_t bytes) {
  if (paged_count == 0) {
    paged_from = seq;
    held.clear();
  }
  assert(seq >= paged_from);
  paged_to = seq;
  paged_count += 1;
  paged_bytes += bytes;
}

void Lane::hold_paged(queue::Seq seq, std::size_t bytes) {
  held.insert(seq.value);
  forget_paged(bytes);
}

void Lane::forget_paged(std::size_t bytes) {
  paged_count -= std::min<std::uint64_t>(paged_count, 1);
  paged_bytes -= std::min<std::uint64_t>(paged_bytes, bytes);
}

}  // namespace stompbox::routing

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <unordered_set>

#include "broker/routing/entry.h"

namespace stompbox::routing {

// The waiting messages of one priority class of a queue, in order of arrival:
//
//   sparse (sorted, with gaps)   fresh (in memory)         paged (in the store only)
//   ───────────────────────────┬────────────────────────┬──────────────────────────▶
//                              front               paged_from                 paged_to
//
// Beyond paged_from everything is paged but what `held` names: it is in memory, in flight, or its
// erase is not committed yet, so a page may still bring it.
struct Lane {
  queue::PriorityClass priority;
  std::deque<Entry> fresh;
  std::map<queue::Seq, Entry> sparse;
  std::uint64_t paged_count = 0;
  std::uint64_t paged_bytes = 0;
  queue::Seq paged_from;  // when paged_count > 0
  queue::Seq paged_to;    // the last that was paged
  std::unordered_set<std::uint64_t> held;

  [[nodiscard]] std::size_t resident_count() const { return fresh.size() + sparse.size(); }
  [[nodiscard]] bool is_beyond(queue::Seq seq) const {
    return paged_count > 0 && seq >= paged_from;
  }
  [[nodiscard]] bool is_paged(queue::Seq seq) const {
    return is_beyond(seq) && seq <= paged_to && !held.contains(seq.value);
  }
  // The next in order from memory; null if there is none or a paged one may stand before it.
  [[nodiscard]] const Entry* front() const;

  // A new one, behind all.
  void push_paged(queue::Seq seq, std::size_t bytes);
  // One that is paged is in memory from now on, or on its way out.
  void hold_paged(queue::Seq seq, std::size_t bytes);
  // One that is paged is in memory now, or gone, and no page will be asked for from before it.
  void forget_paged(std::size_t bytes);
};

}  // namespace stompbox::routing

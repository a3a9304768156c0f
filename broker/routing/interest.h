#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <set>
#include <string>

#include "broker/routing/fetch.h"
#include "broker/routing/selector.h"
#include "broker/routing/turns.h"
#include "broker/routing/value_table.h"
#include "storage/queue/journal.h"

namespace stompbox::routing {

struct HeaderIndex;

// All seats of a queue that ask for the same, and what waits for them in memory. There is one for
// each value of an indexed header that waits, too, though nobody has asked for it yet.
struct alignas(kCacheLineBytes) Interest {
  enum class Kind : std::uint8_t {
    kAll,
    kEqual,  // header = 'value': found by a look-up
    kOther,  // any other selector: tried with each message
    kOwn,    // the groups that are bound to one seat
  };
  // Of one class: what the store only holds for it stands in [from, to]; nothing when from > to.
  struct Unseen {
    queue::Seq from{1};
    queue::Seq to{0};
    [[nodiscard]] bool any() const { return from <= to; }
  };

  // First what every message for it looks at, in two lines: with ten thousand interests that is
  // out of the processor's cache.
  static constexpr std::size_t kHotLines = 2;
  Turns turns;                    // those with credit; not of kOwn
  std::string value;              // of kEqual
  std::set<queue::Place> parked;  // what waits in memory
  Kind kind = Kind::kAll;
  bool is_stuck = false;   // the page in hand brought something that there was no room for
  bool is_ready = false;   // listed: may have credit and something parked
  bool is_behind = false;  // listed: something is unseen; nothing is when it is not listed
  bool is_hungry = false;  // listed: may have credit and something unseen
  std::size_t seat_count = 0;
  Seat* owner = nullptr;                     // of kOwn
  HeaderIndex* index = nullptr;              // of kEqual
  std::shared_ptr<const Selector> selector;  // of kEqual and kOther while somebody asks
  std::array<Unseen, queue::kPriorityClassCount> unseen;

  // Who of its seats gets the next; null: nobody has credit.
  [[nodiscard]] Seat* with_credit();
};

// The values of one header. Outlives its interests.
struct HeaderIndex {
  std::string header;
  std::size_t seat_count = 0;
  ValueTable values;
};

}  // namespace stompbox::routing

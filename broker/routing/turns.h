#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "broker/routing/seat.h"

namespace stompbox::routing {

// Seats with credit, in the order in which they get something: those of a higher priority first,
// among equals who has waited longest. A seat stands in one at most. Constant time for each step
// and no allocation, but for the number of different priorities.
class Turns {
 public:
  Turns() = default;
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  // At the end of its equals; it stands nowhere yet. `turn` grows from call to call.
  void offer(Seat& seat, std::uint64_t turn);
  // Takes it out of wherever it stands, if anywhere.
  static void leave(Seat& seat);
  // Who is next and stays; those who have lost their credit leave. Null: nobody.
  [[nodiscard]] Seat* first();

 private:
  struct Level {
    std::int32_t priority = 0;
    Seat* first = nullptr;
    Seat* last = nullptr;
  };

  // Of those that a subscription has unless it says otherwise.
  static constexpr std::int32_t kUsual = 0;

  [[nodiscard]] Level& level_of(std::int32_t priority);
  [[nodiscard]] static Seat* first_of(Level& level);
  [[nodiscard]] Seat* first_of_all();

  Level usual_{kUsual};  // at hand: most have no other, and then it is all that is looked at
  std::unique_ptr<std::vector<Level>> others_;  // the highest priority first; null: none
};

}  // namespace stompbox::routing

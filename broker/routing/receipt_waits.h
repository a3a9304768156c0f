#pragma once

#include <deque>
#include <optional>

#include "broker/routing/entry.h"
#include "storage/queue/journal.h"

namespace stompbox::routing {

// Receipts that wait for the disk, in order of tickets. A commit report releases a prefix.
class ReceiptWaits {
 public:
  struct Wait {
    queue::Ticket ticket;
    Debt debt;
    // Of an append that may be taken back when the disk is full; no queue for anything else.
    std::optional<queue::QueueId> queue;
    queue::Place place;
    std::size_t bytes = 0;
  };

  // Tickets must not shrink from call to call.
  void add(Wait wait);
  // The append was withdrawn: its receipt has been dealt with.
  void forget(queue::Ticket append);
  // The next one that is covered by `through`, taken out.
  [[nodiscard]] std::optional<Debt> pop(queue::Ticket through);
  // Takes out all waits for appends, for the caller to refuse.
  [[nodiscard]] std::deque<Wait> take_appends();
  void put_back(const Wait& wait);  // one of take_appends that cannot be refused after all

 private:
  std::deque<Wait> waits_;
};

}  // namespace stompbox::routing

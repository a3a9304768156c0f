#pragma once

#include <cstdint>

#include "broker/routing/consumer.h"
#include "storage/queue/journal.h"

namespace stompbox::routing {

// Who is owed a receipt for a message that is not on stable storage yet.
struct Debt {
  PeerId peer;
  ReceiptNumber receipt;  // 0: nobody

  [[nodiscard]] bool owed() const { return receipt.value != 0; }
};

// Where the store stands with a message.
enum class Storing : std::uint8_t {
  kMemoryOnly,  // volatile, or of a topic: the store has never heard of it
  kAlone,       // an append of its own: an early ACK may withdraw it while it is pending
  kTogether,    // part of a group, or long committed: it can only be erased
};

class Queue;

// One message of a queue while it is in memory: waiting, returned or in flight.
struct Entry {
  Queue* home = nullptr;  // its queue; null for a topic's
  queue::Place place;
  queue::MessagePtr message;
  queue::Ticket append;  // of kAlone
  Debt debt;             // of kAlone: due at once when the append is withdrawn
  // Part of a transaction: nobody sees it, nor what follows it in its class, before that ticket is
  // synced (promises P4, P5). 0: visible.
  queue::Ticket visible_after;
  queue::Ticket stored_by;  // from then on the store has it just like this; 0: already
  std::uint32_t deliveries = 0;
  Storing storing = Storing::kMemoryOnly;
  bool redelivered = false;
  bool grouped = false;         // it has a JMSXGroupID
  bool first_of_group = false;  // of the consumer that it goes to
  bool retained = false;        // what a topic had kept

  [[nodiscard]] std::size_t bytes() const { return message->bytes(); }
};

}  // namespace stompbox::routing

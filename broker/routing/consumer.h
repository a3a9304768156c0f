#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include "storage/queue/message.h"
#include "storage/result.h"

// The face that routing shows to whoever takes and gives messages: a peer's session, the drain.
namespace stompbox::routing {

// One attached Consumer; never used again after it was detached.
struct PeerId {
  std::uint32_t value = 0;
  friend auto operator<=>(const PeerId&, const PeerId&) = default;
};

// One subscription for the life of the router.
struct SubscriptionId {
  std::uint64_t value = 0;
  friend auto operator<=>(const SubscriptionId&, const SubscriptionId&) = default;
};

// One delivery of one message to one subscription; ids grow within the subscription and never
// repeat.
struct DeliveryId {
  std::uint64_t value = 0;
  friend auto operator<=>(const DeliveryId&, const DeliveryId&) = default;
};

// The n-th receipt that a peer is owed, from 1. The peer keeps the texts and their order.
struct ReceiptNumber {
  std::uint64_t value = 0;
  friend auto operator<=>(const ReceiptNumber&, const ReceiptNumber&) = default;
};

struct Delivery {
  SubscriptionId subscription;
  std::uint32_t tag = 0;  // what the consumer called this subscription when it made it
  DeliveryId id;
  queue::MessagePtr message;
  std::uint32_t earlier_deliveries = 0;
  bool redelivered = false;       // may have been seen before (promise P3)
  bool first_of_group = false;    // this consumer's first of its JMSXGroupID (fact 2.8)
  bool retained = false;          // what the topic had kept before the subscription
  std::uint64_t lost_before = 0;  // dropped since the delivery before: WhenSlow::kDropOldest
  std::uint64_t seq = 0;          // arrival number in its queue
};

// None of these may call the router: they happen in the middle of its work.
class Consumer {
 public:
  virtual ~Consumer() = default;

  virtual void deliver(const Delivery& delivery) = 0;
  // The promise of that receipt holds now (DESIGN §1). May come in any order; each once.
  virtual void receipt_due(ReceiptNumber receipt) = 0;
  // What the receipt was asked for will not happen: the peer is to get an ERROR that says so.
  virtual void refused(ReceiptNumber receipt, const storage::Error& error) = 0;
  // This consumer was too slow for a topic and its bound is reached: it has to be closed.
  virtual void too_slow(std::uint32_t tag) = 0;
  // A browse has shown all that was there when it got there; with Browsing::kOnce nothing follows.
  virtual void browse_end(std::uint32_t tag) { (void)tag; }
  // There is room again after Admission::kWait.
  virtual void room_again() = 0;
};

}  // namespace stompbox::routing

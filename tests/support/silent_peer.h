#pragma once

#include "broker/routing/consumer.h"

namespace stompbox::testing {

// A peer that only sends, or only takes up a place at a queue.
class SilentPeer final : public routing::Consumer {
 public:
  void deliver(const routing::Delivery&) override {}
  void receipt_due(routing::ReceiptNumber) override {}
  void refused(routing::ReceiptNumber, const storage::Error&) override {}
  void too_slow(std::uint32_t) override {}
  void room_again() override {}
};

}  // namespace stompbox::testing

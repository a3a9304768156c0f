#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/drain/source.h"
#include "broker/routing/router.h"

namespace stompbox::drain {

// The queues of this process: one more consumer of the router. Loop thread only.
class RouterSource final : public Source, private routing::Consumer {
 public:
  // The router outlives this.
  explicit RouterSource(routing::Router& router) : router_(router) {}
  ~RouterSource() override;  // what is not settled goes back, as by give_back()
  RouterSource(const RouterSource&) = delete;
  RouterSource& operator=(const RouterSource&) = delete;

  void attach(Taker& taker) override;
  [[nodiscard]] storage::Status subscribe(std::uint32_t tag, const std::string& queue,
                                          routing::Credit credit) override;
  void set_credit(std::uint32_t tag, routing::Credit credit) override;
  void close() override;
  void done(std::uint64_t item) override;
  void give_back(std::uint64_t item) override;
  [[nodiscard]] bool dead_letter(std::uint64_t item, const routing::DeadLetterReason& reason,
                                 std::int64_t wall_ms) override;
  [[nodiscard]] bool contested(std::uint32_t tag) override;

 private:
  struct Subscribed {
    routing::SubscriptionId id;
    std::string queue;
  };
  struct InFlight {
    routing::SubscriptionId subscription;
    routing::DeliveryId delivery;
  };

  // routing::Consumer
  void deliver(const routing::Delivery& delivery) override;
  void receipt_due(routing::ReceiptNumber receipt) override;
  void refused(routing::ReceiptNumber receipt, const storage::Error& error) override;
  void too_slow(std::uint32_t tag) override;
  void room_again() override;

  [[nodiscard]] InFlight take_out(std::uint64_t item);

  routing::Router& router_;
  Taker* taker_ = nullptr;
  std::optional<routing::PeerId> peer_;
  std::unordered_map<std::uint32_t, Subscribed> subscribed_;  // by tag
  std::unordered_map<std::uint64_t, InFlight> in_flight_;     // by item
  std::uint64_t last_item_ = 0;
};

}  // namespace stompbox::drain

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "broker/routing/router.h"
#include "broker/session/ids.h"
#include "storage/queue/message.h"

namespace stompbox::session {

// The deliveries of one peer that wait for its ACK, by delivery and, for peers that name messages
// (STOMP 1.0 and 1.1), by message. Credit bounds it. One that an open transaction has acknowledged
// is claimed: it waits still, but cannot be found.
class Unacked {
 public:
  struct Claim {
    AckId delivery;
    queue::MessageId message;
  };

  void add(const AckId& delivery, queue::MessageId message);
  // What an ACK or NACK of `delivery` covers waits no longer.
  void remove(const AckId& delivery, routing::Reach reach);
  // The same without removing anything, in growing order.
  [[nodiscard]] std::vector<Claim> reached(const AckId& delivery, routing::Reach reach) const;

  // What an ACK or NACK of `delivery` covers belongs to one transaction from now on.
  [[nodiscard]] std::vector<Claim> claim(const AckId& delivery, routing::Reach reach);
  void release(const std::vector<Claim>& claims);  // ABORT: they can be acknowledged again
  void settle(const std::vector<Claim>& claims);   // COMMIT: they wait no longer
  [[nodiscard]] bool has_claims(std::uint32_t tag) const;

  [[nodiscard]] bool contains(const AckId& delivery) const;
  // The delivery of that message on the subscription `tag`, the newest if there are several.
  [[nodiscard]] std::optional<AckId> find(queue::MessageId message, std::uint32_t tag);
  // The same on the oldest subscription that waits for it.
  [[nodiscard]] std::optional<AckId> find(queue::MessageId message);
  // The same on a later subscription than `tag`.
  [[nodiscard]] std::optional<AckId> find_after(queue::MessageId message, std::uint32_t tag);
  [[nodiscard]] bool any_of(std::uint32_t tag) const;  // claimed ones included
  [[nodiscard]] std::size_t size() const { return by_delivery_.size() + claimed_.size(); }
  void clear();

 private:
  struct ByMessage {
    std::uint64_t message;
    std::uint32_t tag;
    std::uint64_t delivery;
    friend auto operator<=>(const ByMessage&, const ByMessage&) = default;
  };
  struct ByDelivery {
    std::uint32_t tag;
    std::uint64_t delivery;
    std::uint64_t message;
    friend auto operator<=>(const ByDelivery&, const ByDelivery&) = default;
  };
  using MessageNode = std::set<ByMessage>::node_type;
  using DeliveryNode = std::set<ByDelivery>::node_type;
  static constexpr std::size_t kSpareMax = 64;
  std::set<ByDelivery>::iterator remove(std::set<ByDelivery>::iterator at);
  void add_message(const ByMessage& message);
  void index_messages();

  bool names_messages_ = false;  // by_message_ is kept, since the first who asked
  std::set<ByMessage> by_message_;
  std::set<ByDelivery> by_delivery_;
  std::set<ByDelivery> claimed_;
  // Nodes of what was removed, for the next: a busy consumer allocates nothing, an idle one keeps
  // a few KiB.
  std::vector<MessageNode> spare_messages_;
  std::vector<DeliveryNode> spare_deliveries_;
};

}  // namespace stompbox::session

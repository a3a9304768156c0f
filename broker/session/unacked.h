#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "broker/routing/router.h"
#include "broker/session/ack_line.h"
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
  // The subscription is gone: nothing of it waits any more.
  void forget(std::uint32_t tag) { lines_.erase(tag); }
  [[nodiscard]] std::size_t size() const { return waiting_ + claimed_.size(); }
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
  static constexpr std::size_t kSpareMax = 64;
  [[nodiscard]] const AckLine* line_of(std::uint32_t tag) const;
  void add_message(const ByMessage& message);
  void note_removed(std::uint32_t tag, const AckLine::Item& item);
  void index_messages();

  std::unordered_map<std::uint32_t, AckLine> lines_;  // by tag; empty ones wait for the next
  std::size_t waiting_ = 0;                           // in all lines
  std::set<ByDelivery> claimed_;
  bool names_messages_ = false;  // by_message_ is kept, since the first who asked
  std::set<ByMessage> by_message_;
  // Nodes of what was removed, for the next: a busy consumer allocates nothing, an idle one keeps
  // a few KiB.
  std::vector<MessageNode> spare_messages_;
};

}  // namespace stompbox::session

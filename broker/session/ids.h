#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/routing/consumer.h"
#include "storage/queue/message.h"

// The two names that a peer sees of a message. Their forms cannot be mistaken for each other, so
// that a client that sends one in the place of the other is still understood (fact G5).
namespace stompbox::session {

// `message-id`: "EPOCH-COUNTER", the same at every delivery and for ever (fact F6).
void append_message_id(std::string& out, queue::MessageId id);
[[nodiscard]] std::optional<queue::MessageId> parse_message_id(std::string_view text);

// `ack`: "TAG.DELIVERY", one delivery on one connection (fact F9).
struct AckId {
  std::uint32_t tag = 0;
  routing::DeliveryId delivery;

  friend bool operator==(const AckId&, const AckId&) = default;
};
void append_ack_id(std::string& out, const AckId& id);
[[nodiscard]] std::optional<AckId> parse_ack_id(std::string_view text);

// Digits only, the whole of `text`, within 64 bits.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);
void append_number(std::string& out, std::uint64_t number);

}  // namespace stompbox::session

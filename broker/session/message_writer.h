#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker/routing/consumer.h"
#include "broker/session/outbox.h"
#include "broker/session/subscriptions.h"
#include "protocol/version.h"

// What is written most: MESSAGE and RECEIPT, encoded straight into the outbox.
namespace stompbox::session {

// The lines that all MESSAGEs of a subscription begin with.
[[nodiscard]] std::string make_message_head(protocol::Version version,
                                            const std::optional<std::string>& id);

// NUL; in 1.0 with a line feed behind it, as StompServer and ActiveMQ have it: php-stomp reads no
// second frame without (fact 3.4).
[[nodiscard]] std::string_view frame_end(protocol::Version version);

// One delivery in the form of the receiver's version (facts B5, B7, B8, F5 to F9). A large body is
// referenced, not copied. 1.0 peers do not get a user header whose value is empty: the Ruby client
// raises on it. `lines` are kept from call to call; null: nothing is.
void write_message(Outbox& outbox, protocol::Version version, const Subscription& subscription,
                   const routing::Delivery& delivery, CommonLines* lines);

// Whether a MESSAGE sets that header itself.
[[nodiscard]] bool is_message_header(std::string_view name);

// What ends a browse: a MESSAGE without a body that says browser:end (fact 2.2). An ACK of its ids
// is accepted and does nothing.
inline constexpr std::string_view kBrowseEndId = "0";
void write_browse_end(Outbox& outbox, protocol::Version version, const Subscription& subscription);

void write_receipt(Outbox& outbox, protocol::Version version, std::string_view text);

}  // namespace stompbox::session

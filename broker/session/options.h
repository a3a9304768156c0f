#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "broker/routing/profile.h"
#include "protocol/decoder.h"
#include "protocol/heart_beat.h"
#include "protocol/limits.h"

namespace stompbox::session {

enum class AfterDenial : std::uint8_t { kClose, kKeep };

struct SessionOptions {
  protocol::DecodeLimits limits;
  // Undefined escapes in 1.1 frames (fact B10: some clients escape in 1.2 only).
  protocol::UnknownEscapes unknown_escapes = protocol::UnknownEscapes::kRefuse;
  std::string server_name = "stompbox";  // the `server` header; empty hides it (fact D8)
  // What we offer: beats as often as asked, but ten a second at most, for idle peers that ask for
  // more would take the loop from the others; and every ten seconds from the peer (facts E1 to E9).
  protocol::HeartBeat heart_beat{std::chrono::milliseconds(100), std::chrono::milliseconds(10'000)};
  std::chrono::milliseconds login_timeout{10'000};  // for the whole CONNECT frame (fact D15)
  // After an ERROR: the input is read and thrown away that long, then closed (fact H5).
  std::chrono::milliseconds error_hold{1500};
  // Before that: an ERROR lets earlier receipts that wait for the disk go first, so long at most.
  std::chrono::milliseconds error_receipt_wait{500};
  // After DISCONNECT or the peer's end: so long may what we owe take to get out.
  std::chrono::milliseconds disconnect_hold{5000};
  std::chrono::milliseconds shutdown_hold{1000};     // the same when the broker stops
  std::size_t discard_bytes_max = 64 * 1024 * 1024;  // during a hold; then closed at once
  // Subscriptions of one peer, ended ones with unacknowledged deliveries included.
  std::size_t subscription_count_max = 10'000;
  std::size_t subscription_bytes_max = 4 * 1024 * 1024;  // of their texts: ids, names, selectors
  std::size_t receipts_owed_max = 100'000;  // then the peer is not read until some are gone
  // Outgoing bytes that may wait: credit stops at the first, the peer is closed as slow at the
  // second. A single message may be larger than both.
  std::size_t outbox_bytes_soft = 4 * 1024 * 1024;
  std::size_t outbox_bytes_max = 64 * 1024 * 1024;
  std::size_t auto_credit_count = 1000;
  std::size_t auto_credit_bytes = 1024 * 1024;
  std::size_t client_credit_count = 256;
  std::size_t client_credit_bytes = 4 * 1024 * 1024;
  std::size_t credit_count_max = 65'535;  // what a peer may ask for
  std::size_t credit_bytes_max = 64 * 1024 * 1024;
  // Deliveries that wait for the ACK of one peer, over all its subscriptions: then no more come.
  std::size_t unacked_count_max = 100'000;
  // Open transactions of one peer, and what waits in one for its COMMIT; beyond it an ERROR.
  std::size_t transaction_count_max = 16;
  std::size_t transaction_actions_max = 10'000;
  std::size_t transaction_bytes_max = 64 * 1024 * 1024;
  // A SEND or SUBSCRIBE that rights forbid: the ERROR is the end, or 1.0 and 1.1 peers stay.
  AfterDenial after_denial = AfterDenial::kClose;
  // Where brokers differ; the same as the router's.
  const routing::Profile* profile = &routing::default_profile();
};

}  // namespace stompbox::session

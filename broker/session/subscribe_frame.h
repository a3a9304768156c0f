#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "broker/routing/router.h"
#include "broker/session/options.h"
#include "broker/session/refusal.h"
#include "protocol/frame.h"
#include "protocol/version.h"

namespace stompbox::session {

// What a SUBSCRIBE asks for.
struct SubscribeWish {
  std::optional<std::string> id;
  std::string destination_text;
  std::vector<routing::Destination> destinations;
  routing::AckMode ack_mode = routing::AckMode::kAuto;
  routing::Credit credit;
  std::shared_ptr<const routing::Selector> selector;
  routing::Locality locality = routing::Locality::kAll;
  std::optional<std::string> durable_name;  // client-id included
  routing::Exclusivity exclusivity = routing::Exclusivity::kShared;
  std::int32_t priority = 0;
  routing::Browsing browsing = routing::Browsing::kNo;
  std::uint64_t browse_from = 0;
  std::string seq_header;      // include-seq: the name that the queue's sequence number goes by
  std::string arrival_header;  // include-arrival: that of the time of arrival, in milliseconds
};

// Every family of facts 2.2 and 2.5. Headers that change which messages come, and that we do not
// have, are refused, never ignored.
[[nodiscard]] std::variant<SubscribeWish, Refusal> read_subscribe(const protocol::Headers& headers,
                                                                  protocol::Version version,
                                                                  std::string_view client_id,
                                                                  const SessionOptions& options);

// What a SUBSCRIBE or UNSUBSCRIBE calls its durable subscription, client-id included; nothing if it
// names none. `by_id`: said by durable:true or persistent:true, which have no meaning for a queue.
struct DurableName {
  std::string name;
  bool by_id = false;
};
[[nodiscard]] std::optional<DurableName> find_durable_name(const protocol::Headers& headers,
                                                           std::string_view client_id);

}  // namespace stompbox::session

#include "broker/session/send_frame.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "protocol/encoder.h"

namespace stompbox::session {
namespace {

// Of the SEND frame itself, or set anew on every MESSAGE: clients send back what they received.
constexpr std::array<std::string_view, 10> kOwnHeaders{
    "ack",        "content-length", "destination",      "message-id",   "receipt",
    "receipt-id", "redelivered",    "redelivery-count", "subscription", "transaction"};

bool travels(std::string_view name) {
  return std::find(kOwnHeaders.begin(), kOwnHeaders.end(), name) == kOwnHeaders.end();
}

}  // namespace

std::optional<Refusal> check_send(const protocol::Frame& frame) {
  if (frame.headers.find("destination").value_or("").empty()) {
    return Refusal{"Missing header", "SEND: the header destination is missing."};
  }
  for (std::size_t i = 0; i < frame.headers.size(); ++i) {
    const std::string_view name = frame.headers.at(i).name;
    if (name.starts_with("AMQ_SCHEDULED_")) {
      return Refusal{"Not supported", "SEND: the header " + quoted(name) +
                                          " (delivery at a later time) is not supported by this "
                                          "version."};
    }
  }
  return std::nullopt;
}

routing::Draft make_draft(protocol::Frame&& frame) {
  routing::Draft draft;
  draft.destination = frame.headers.find("destination").value_or("");
  draft.header_block.reserve(frame.headers.bytes() + 2 * frame.headers.size());
  for (std::size_t i = 0; i < frame.headers.size(); ++i) {
    const auto [name, value] = frame.headers.at(i);
    if (!travels(name)) continue;
    protocol::append_header(draft.header_block, protocol::Version::k12, name, value);
    if (protocol::needs_escape(name) || protocol::needs_escape(value)) draft.block_is_plain = false;
  }
  if (frame.headers.find("persistent") == "false") {
    draft.persistence = queue::Persistence::kVolatile;
  }
  draft.body = std::move(frame.body);
  return draft;
}

}  // namespace stompbox::session

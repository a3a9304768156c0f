#include "broker/session/message_writer.h"

#include <algorithm>
#include <array>

#include "broker/session/ids.h"
#include "protocol/encoder.h"

namespace stompbox::session {
namespace {

using protocol::Version;

constexpr std::string_view kBlanks = " \t\r";

constexpr std::array<std::string_view, 12> kMessageHeaders{
    "subscription", "message-id",       "destination",    "ack",
    "redelivered",  "redelivery-count", "content-length", "browser",
    "retained",     "messages-lost",    "receipt-id",     "JMSXGroupFirstForConsumer"};

// A ':' in a value is an escape in a block: a bare one ends a name.
bool has_blank_value(std::string_view block) {
  std::size_t at = 0;
  while ((at = block.find(':', at)) != std::string_view::npos) {
    const std::size_t next = block.find_first_not_of(kBlanks, at + 1);
    if (next == std::string_view::npos || block[next] == '\n') return true;
    at = next;
  }
  return false;
}

void append_block_for_1_0(std::string& out, const queue::Message& message) {
  const std::string_view block = message.header_block;
  if (message.block_is_plain && !has_blank_value(block)) {
    out.append(block);
    return;
  }
  const protocol::Headers headers = protocol::parse_block(block);
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto [name, value] = headers.at(i);
    // Line ends become blanks in 1.0, and a value of blanks is an empty one.
    if (value.find_first_not_of(" \t\r\n") == std::string_view::npos) continue;
    protocol::append_header(out, Version::k10, name, value);
  }
}

void append_user_headers(std::string& out, Version version, const queue::Message& message) {
  if (version == Version::k10) {
    append_block_for_1_0(out, message);
  } else {
    protocol::append_block_for(out, version, message.header_block, message.block_is_plain);
  }
}

void append_identity(std::string& out, Version version, std::string_view destination,
                     const queue::Message& message) {
  out.append("message-id:");
  append_message_id(out, message.id);
  out.push_back('\n');
  protocol::append_header(out, version, "destination", destination);
}

void append_contents(std::string& out, Version version, const queue::Message& message) {
  if (!message.body.empty()) {
    out.append("content-length:");
    append_number(out, message.body.size());
    out.push_back('\n');
  }
  append_user_headers(out, version, message);
  out.push_back('\n');
}

// Null: these are to be written for this delivery alone.
const CommonLines* common_lines(CommonLines* lines, Version version,
                                const Subscription& subscription,
                                const queue::MessagePtr& message) {
  const bool may_fit = lines != nullptr && subscription.shown_destination.empty() &&
                       message->body.size() < Outbox::kReferenceFrom;
  if (!may_fit || !lines->fit(message, version)) return nullptr;
  if (lines->before.empty()) {
    append_identity(lines->before, version, message->destination, *message);
    append_contents(lines->behind, version, *message);
  }
  return lines;
}

// What only some deliveries say.
void append_marks(std::string& out, Version version, const Subscription& subscription,
                  const routing::Delivery& delivery) {
  if (delivery.first_of_group) out.append("JMSXGroupFirstForConsumer:true\n");
  if (delivery.retained) out.append("retained:true\n");
  if (delivery.lost_before > 0) {
    protocol::append_header(out, version, "messages-lost", std::to_string(delivery.lost_before));
  }
  if (!subscription.seq_header.empty()) {
    protocol::append_header(out, version, subscription.seq_header, std::to_string(delivery.seq));
  }
  if (!subscription.arrival_header.empty()) {
    protocol::append_header(out, version, subscription.arrival_header,
                            std::to_string(delivery.message->arrived_ms));
  }
}

}  // namespace

bool is_message_header(std::string_view name) {
  return std::find(kMessageHeaders.begin(), kMessageHeaders.end(), name) != kMessageHeaders.end();
}

std::string_view frame_end(Version version) {
  return version == Version::k10 ? std::string_view("\0\n", 2) : std::string_view("\0", 1);
}

std::string make_message_head(Version version, const std::optional<std::string>& id) {
  std::string head = "MESSAGE\n";
  if (id) protocol::append_header(head, version, "subscription", *id);
  return head;
}

bool CommonLines::fit(const queue::MessagePtr& message, Version version) {
  if (held_ == message && version_ == version) return true;
  const bool is_second = seen_ == message.get() && version_ == version;
  seen_ = message.get();
  version_ = version;
  before.clear();
  behind.clear();
  held_ = is_second ? message : nullptr;
  return is_second;
}

void write_message(Outbox& outbox, Version version, const Subscription& subscription,
                   const routing::Delivery& delivery, CommonLines* lines) {
  const queue::Message& message = *delivery.message;
  const CommonLines* const common = common_lines(lines, version, subscription, delivery.message);
  std::string& out = outbox.tail();
  out.append(subscription.message_head.view());
  if (common != nullptr) {
    out.append(common->before);
  } else {
    append_identity(out, version,
                    subscription.shown_destination.empty() ? message.destination
                                                           : subscription.shown_destination,
                    message);
  }
  if (version == Version::k12 && subscription.ack_mode != routing::AckMode::kAuto) {
    out.append("ack:");
    append_ack_id(out, {.tag = subscription.tag, .delivery = delivery.id});
    out.push_back('\n');
  }
  if (delivery.redelivered) out.append("redelivered:true\n");
  if (delivery.earlier_deliveries > 0) {
    out.append("redelivery-count:");
    append_number(out, delivery.earlier_deliveries);
    out.push_back('\n');
  }
  append_marks(out, version, subscription, delivery);
  if (common != nullptr) {
    out.append(common->behind);
  } else {
    append_contents(out, version, message);
  }
  if (message.body.size() < Outbox::kReferenceFrom) {
    out.append(message.body).append(frame_end(version));
    outbox.appended();
    return;
  }
  outbox.appended();
  outbox.append_body(delivery.message);
  outbox.append(frame_end(version));
}

void write_browse_end(Outbox& outbox, Version version, const Subscription& subscription) {
  std::string& out = outbox.tail();
  out.append(subscription.message_head.view());
  protocol::append_header(out, version, "message-id", kBrowseEndId);
  protocol::append_header(out, version, "destination", subscription.destination);
  if (version == Version::k12 && subscription.ack_mode != routing::AckMode::kAuto) {
    protocol::append_header(out, version, "ack", kBrowseEndId);
  }
  out.append("browser:end\n\n").append(frame_end(version));
  outbox.appended();
}

void write_receipt(Outbox& outbox, Version version, std::string_view text) {
  std::string& out = outbox.tail();
  out.append("RECEIPT\n");
  protocol::append_header(out, version, "receipt-id", text);
  out.append("\n").append(frame_end(version));
  outbox.appended();
}

}  // namespace stompbox::session

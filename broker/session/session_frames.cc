#include <cassert>
#include <string>
#include <utility>

#include "broker/session/message_writer.h"
#include "broker/session/send_frame.h"
#include "broker/session/session.h"
#include "broker/session/subscribe_frame.h"

// The frames of an open session but for ACK and NACK, one function each.
namespace stompbox::session {

using protocol::Command;
using protocol::Version;

void Session::obey(Frame&& frame) {
  ++figures_.frames_in;
  if (frame.short_length_mended) ++figures_.mended_lengths;
  if (phase_ == Phase::kFresh && !protocol::is_login(frame.command)) {
    fail(frame, {"Illegal command", std::string(protocol::to_text(frame.command)) +
                                        ": you must log in using CONNECT first."});
    return;
  }
  switch (frame.command) {
    case Command::kConnect:
    case Command::kStomp: on_connect(frame); break;
    case Command::kSend: on_send(std::move(frame)); break;
    case Command::kSubscribe: on_subscribe(frame); break;
    case Command::kUnsubscribe: on_unsubscribe(frame); break;
    case Command::kAck: on_verdict(frame, Verdict::kAck); break;
    case Command::kNack: on_verdict(frame, Verdict::kNack); break;
    case Command::kBegin:
    case Command::kCommit:
    case Command::kAbort: on_transaction(frame); break;
    case Command::kDisconnect: on_disconnect(frame); break;
    case Command::kConnected:
    case Command::kMessage:
    case Command::kReceipt:
    case Command::kError: assert(!"the decoder refuses frames of servers"); break;
  }
}

void Session::on_send(Frame&& frame) {
  if (refuse_transaction(frame)) return;
  if (const auto refusal = check_send(frame)) {
    fail(frame, *refusal);
    return;
  }
  ReceiptText receipt;
  if (const auto text = frame.headers.find("receipt"); text && !output_dead_) receipt = *text;
  submit(make_draft(std::move(frame)), std::move(receipt));
}

void Session::submit(routing::Draft&& draft, ReceiptText&& receipt) {
  switch (router_.admit(*peer_, draft, receipt.has_value())) {
    case routing::Admission::kAccept: break;
    case routing::Admission::kWait:
      held_.emplace(HeldSend{.draft = std::move(draft), .receipt = std::move(receipt)});
      return;
    case routing::Admission::kRefuse:
      fail(CloseReason::kNoRoom, {"No room", "SEND: the disk is full; the message was not stored."},
           receipt);
      return;
  }
  std::optional<routing::ReceiptNumber> number;
  if (receipt) number = receipts_.owe(*receipt);
  const auto status = router_.publish(*peer_, std::move(draft), now_.wall_ms, number);
  if (status) {
    ++figures_.sends;
    return;
  }
  const bool is_invalid = status.error().code == storage::ErrorCode::kInvalid;
  fail(CloseReason::kProtocolError,
       {is_invalid ? "Unknown destination" : "Not sent", "SEND: " + status.error().text}, receipt);
}

bool Session::submit_held() {
  if (!held_ || phase_ != Phase::kOpen) return false;
  HeldSend held = *std::exchange(held_, std::nullopt);
  submit(std::move(held.draft), std::move(held.receipt));
  return !held_;
}

void Session::on_subscribe(const Frame& frame) {
  auto read = read_subscribe(frame.headers, *version_, options_);
  if (const auto* const refusal = std::get_if<Refusal>(&read)) {
    fail(frame, *refusal);
    return;
  }
  auto& wish = std::get<SubscribeWish>(read);
  if (wish.id && subscriptions_.find_live(*wish.id) != nullptr) {
    fail(frame, {"Already subscribed",
                 "SUBSCRIBE: the id " + quoted(*wish.id) + " is in use on this connection."});
    return;
  }
  if (subscriptions_.size() >= options_.subscription_count_max) {
    fail(frame,
         {"Too many subscriptions", "SUBSCRIBE: one connection may have " +
                                        std::to_string(options_.subscription_count_max) +
                                        ", ended ones with unacknowledged messages included."});
    return;
  }
  const std::uint32_t tag = subscriptions_.next_tag();
  const auto number = router_.subscribe({.peer = *peer_,
                                         .tag = tag,
                                         .destination = std::move(wish.destination),
                                         .ack_mode = wish.ack_mode,
                                         .credit = wish.credit});
  if (!number) {
    fail(frame, {"Not subscribed", "SUBSCRIBE: " + number.error().text});
    return;
  }
  std::string head = make_message_head(*version_, wish.id);
  Subscription& subscription = subscriptions_.add({.tag = tag,
                                                   .id = std::move(wish.id),
                                                   .destination = std::move(wish.destination_text),
                                                   .ack_mode = wish.ack_mode,
                                                   .credit = wish.credit,
                                                   .number = *number,
                                                   .message_head = std::move(head)});
  if (const auto receipt = owe_receipt(frame)) {
    receipts_.starts(*receipt, tag);
    receipts_.mark_due(*receipt);
  } else {
    start(subscription);
  }
}

// Deliveries in flight stay ackable (fact F15).
void Session::on_unsubscribe(const Frame& frame) {
  const bool is_named =
      frame.headers.find("id") || (version_ == Version::k10 && frame.headers.find("destination"));
  if (!is_named) {
    fail(frame, {"Missing header", version_ == Version::k10
                                       ? "UNSUBSCRIBE: the headers id and destination are missing."
                                       : "UNSUBSCRIBE: the header id is missing."});
    return;
  }
  Subscription* const subscription = find_unsubscribed(frame);
  if (subscription == nullptr) {
    fail(frame, {"Unknown subscription", "UNSUBSCRIBE: there is no such subscription."});
    return;
  }
  router_.unsubscribe(subscription->number);
  subscriptions_.end(*subscription);
  if (!unacked_.any_of(subscription->tag)) subscriptions_.erase(subscription->tag);
  owe_due_receipt(frame);
}

// In 1.0 a destination will do; of several subscriptions to it the oldest ends.
Subscription* Session::find_unsubscribed(const Frame& frame) {
  if (const auto id = frame.headers.find("id")) {
    if (Subscription* const found = subscriptions_.find_live(*id)) return found;
  }
  if (version_ != Version::k10) return nullptr;
  const auto destination = frame.headers.find("destination");
  return destination ? subscriptions_.find_oldest_of(*destination) : nullptr;
}

bool Session::refuse_transaction(const Frame& frame) {
  if (!frame.headers.find("transaction")) return false;
  on_transaction(frame);
  return true;
}

void Session::on_transaction(const Frame& frame) {
  fail(frame, {"Not supported", std::string(protocol::to_text(frame.command)) +
                                    ": transactions are not spoken yet by this version."});
}

// Its receipt is the last frame that goes out; nothing is obeyed any more (facts H8, H10).
void Session::on_disconnect(const Frame& frame) {
  owe_due_receipt(frame);
  start_leaving(CloseReason::kDisconnect);
}

}  // namespace stompbox::session

#include <algorithm>
#include <cassert>
#include <utility>

#include "broker/session/message_writer.h"
#include "broker/session/session.h"
#include "protocol/encoder.h"

// What goes out: deliveries, receipts, and the credit that bounds them.
namespace stompbox::session {

void Session::deliver(const routing::Delivery& delivery) {
  // More than the bound waits although credit was taken back: nobody reads.
  if (outbox_.waiting_bytes() > options_.outbox_bytes_max) {
    overrun_ = true;
    wake();
    return;
  }
  const Subscription* const subscription = subscriptions_.find(delivery.tag);
  assert(subscription != nullptr);
  ++figures_.deliveries;
  write_message(outbox_, *version_, *subscription, delivery,
                shared_ == nullptr ? nullptr : &shared_->lines);
  if (subscription->ack_mode == routing::AckMode::kAuto) {
    transit_.push_back({outbox_.position(), delivery.subscription, delivery.id});
  } else {
    unacked_.add({.tag = delivery.tag, .delivery = delivery.id}, delivery.message->id);
  }
  wake();
}

void Session::receipt_due(routing::ReceiptNumber receipt) {
  receipts_.mark_due(receipt);
  wake();
}

void Session::refused(routing::ReceiptNumber receipt, const storage::Error& error) {
  if (!refused_) refused_.emplace(Refused{.receipt = receipt, .error = error});
  wake();
}

void Session::too_slow(std::uint32_t tag) {
  if (!slow_tag_) slow_tag_ = tag;
  wake();
}

// The MESSAGEs of the browse are in the outbox already, so this comes behind them.
void Session::browse_end(std::uint32_t tag) {
  const Subscription* const subscription = subscriptions_.find(tag);
  if (subscription == nullptr || !subscription->marks_end) return;
  if (subscription->ended || !may_deliver()) return;
  write_browse_end(outbox_, *version_, *subscription);
  wake();
}

void Session::room_again() {
  wake();
}

std::optional<routing::ReceiptNumber> Session::owe_receipt(const Frame& frame) {
  const auto text = frame.headers.find("receipt");
  if (!text || output_dead_) return std::nullopt;
  return receipts_.owe(*text);
}

void Session::owe_due_receipt(const Frame& frame) {
  if (const auto receipt = owe_receipt(frame)) receipts_.mark_due(*receipt);
}

void Session::write_due_receipts() {
  while (const auto entry = receipts_.take_due()) {
    const std::uint64_t begin = outbox_.position();
    write_receipt(outbox_, dialect(), entry->text);
    reply_end_ = outbox_.position();
    reply_bytes_ += static_cast<std::size_t>(reply_end_ - begin);
    if (!entry->starts) continue;
    if (Subscription* const subscription = subscriptions_.find(*entry->starts)) {
      start(*subscription);
    }
  }
}

// The kernel has it: for auto that is the end of it (DESIGN §2).
void Session::acknowledge_written() {
  const auto is_written = [this] {
    return !transit_.empty() && transit_.front().position <= outbox_.sent();
  };
  // What the next ones need is fetched while this one is worked on.
  constexpr std::size_t kExpected = 4;
  constexpr std::size_t kPrepared = 2;
  for (std::size_t i = 1; i < std::min(kExpected, transit_.size()); ++i)
    router_.expect_acknowledge(transit_[i].subscription);
  while (is_written()) {
    if (transit_.size() > kExpected) {
      router_.expect_acknowledge(transit_[kExpected].subscription);
      router_.prepare_acknowledge(transit_[kPrepared].subscription);
    }
    Transit last = transit_.front();
    transit_.pop_front();
    while (is_written() && transit_.front().subscription == last.subscription) {
      last = transit_.front();
      transit_.pop_front();
    }
    (void)router_.acknowledge(last.subscription, last.delivery, routing::Reach::kUpTo,
                              std::nullopt);
  }
}

bool Session::may_deliver() const {
  return phase_ == Phase::kOpen && !input_ended_ && !output_dead_ && !stopping_;
}

void Session::start(Subscription& subscription) {
  if (!may_deliver() || subscription.ended) return;
  subscription.started = true;
  if (deliveries_stopped_) router_.set_credit(subscription.number, {0, 0});
  router_.start_delivery(subscription.number);
}

bool Session::is_congested() const {
  return outbox_.waiting_bytes() > options_.outbox_bytes_soft ||
         unacked_.size() >= options_.unacked_count_max;
}

void Session::balance_credit() {
  if (!may_deliver()) return;
  if (!deliveries_stopped_) {
    if (is_congested()) stop_deliveries();
    return;
  }
  // Not to and fro with every byte and every ACK.
  const std::size_t enough = options_.unacked_count_max - options_.unacked_count_max / 16;
  if (outbox_.waiting_bytes() <= options_.outbox_bytes_soft / 2 && unacked_.size() < enough) {
    resume_deliveries();
  }
}

void Session::stop_deliveries() {
  deliveries_stopped_ = true;
  subscriptions_.visit_live_from(0, [this](const Subscription& subscription) {
    if (subscription.started) router_.set_credit(subscription.number, {0, 0});
    return true;
  });
}

// Those behind where the outbox became full the last time come first, or they might never come.
void Session::resume_deliveries() {
  deliveries_stopped_ = false;
  subscriptions_.visit_live_from(last_resumed_, [this](const Subscription& subscription) {
    if (!subscription.started) return true;
    last_resumed_ = subscription.tag;
    router_.set_credit(subscription.number, subscription.credit);
    return !is_congested();
  });
  if (is_congested()) stop_deliveries();
}

protocol::Version Session::dialect() const {
  return version_.value_or(protocol::Version::k10);
}

void Session::write_frame(const Frame& frame) {
  if (output_dead_) return;
  protocol::append_frame(outbox_.tail(), dialect(), frame);
  if (dialect() == protocol::Version::k10) outbox_.tail().push_back('\n');
  outbox_.appended();
}

}  // namespace stompbox::session

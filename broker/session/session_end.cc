#include <cassert>
#include <string>
#include <utility>

#include "broker/session/session.h"

// How conversations end: an ERROR and a hold, a farewell, or at once.
namespace stompbox::session {
namespace {

std::string in_ms(std::chrono::milliseconds duration) {
  return std::to_string(duration.count()) + " ms";
}

}  // namespace

void Session::fail(const Frame& frame, const Refusal& refusal) {
  ReceiptText receipt;
  // A receipt on CONNECT is not answered, not even here (fact D14).
  if (const auto text = frame.headers.find("receipt"); text && !protocol::is_login(frame.command)) {
    receipt = *text;
  }
  fail(CloseReason::kProtocolError, refusal, receipt);
}

void Session::fail_to_decode(const protocol::ProtocolError& error) {
  if (error.kind == protocol::ProtocolErrorKind::kTls) {
    finish(CloseReason::kTlsOnPlainPort);
    return;
  }
  fail(CloseReason::kProtocolError, {error.message, error.detail}, error.receipt);
}

void Session::fail(CloseReason reason, const Refusal& refusal, const ReceiptText& receipt) {
  if (phase_ == Phase::kHolding || done()) return;
  close_detail_ = printable(refusal.message + ": " + refusal.detail);
  close_reason_ = reason;
  if (output_dead_) {
    finish(reason);
    return;
  }
  phase_ = Phase::kHolding;
  decoder_.reset();
  held_.reset();
  last_words_.emplace(LastWords{refusal, receipt});
  write_due_receipts();
  if (receipts_.owed_count() == 0) {
    say_last_words();
    return;
  }
  // Earlier frames were obeyed and their receipts wait for the disk: they go first (fact H3).
  deadline_ = now_.steady + options_.error_receipt_wait;
  stop_deliveries();
}

void Session::write_error(const Refusal& refusal, const ReceiptText& receipt) {
  Frame error;
  error.command = protocol::Command::kError;
  error.headers.add("message", refusal.message);
  error.headers.add("content-type", "text/plain");
  if (receipt) error.headers.add("receipt-id", *receipt);
  // No version was agreed: say which there are (fact D5).
  if (!version_) error.headers.add("version", protocol::kSupportedVersions);
  error.body = refusal.detail + "\n";
  write_frame(error);
}

// The ERROR goes out; what comes in from now on is thrown away.
void Session::say_last_words() {
  const LastWords words = *std::exchange(last_words_, std::nullopt);
  write_error(words.refusal, words.receipt);
  deadline_ = now_.steady + (stopping_ ? options_.shutdown_hold : error_hold_);
  detach();
}

bool Session::has_notes() const {
  return !done() && (overrun_ || slow_tag_ || refused_);
}

void Session::act_on_notes() {
  if (const auto refused = std::exchange(refused_, std::nullopt)) {
    if (const auto receipt = receipts_.text(refused->receipt)) {
      receipts_.forget_from(refused->receipt);
      fail(CloseReason::kNoRoom, {"No room", refused->error.text}, receipt);
    }
  }
  if (const auto tag = std::exchange(slow_tag_, std::nullopt); tag && may_deliver()) {
    const Subscription* const subscription = subscriptions_.find(*tag);
    const std::string name = subscription ? quoted(subscription->destination) : "a topic";
    fail(CloseReason::kSlowConsumer,
         {"Too slow", "The messages of " + name + " were not read fast enough; too many wait."});
  }
  if (std::exchange(overrun_, false) && may_deliver()) finish(CloseReason::kSlowConsumer);
}

void Session::start_leaving(CloseReason reason) {
  phase_ = Phase::kLeaving;
  close_reason_ = reason;
  deadline_ = now_.steady + (stopping_ ? options_.shutdown_hold : options_.disconnect_hold);
  stop_deliveries();
  if (reason != CloseReason::kDisconnect) note_unread();
  decoder_.reset();
}

// What a DISCONNECT leaves behind, and an open transaction, are not meant to count.
void Session::note_unread() {
  figures_.unread_bytes += held_bytes() - transaction_bytes();
}

// Deliveries go back to their queues as soon as nothing of ours is under way to the peer any more.
void Session::go_on_leaving() {
  if (phase_ == Phase::kOpen && (input_ended_ || stopping_) && may_obey()) {
    start_leaving(end_reason_);
  }
  if (phase_ != Phase::kLeaving && phase_ != Phase::kHolding) return;
  if (receipts_.owed_count() == 0) {
    if (phase_ == Phase::kLeaving && transit_.empty()) detach();
    if (last_words_) say_last_words();
  }
  const bool all_is_out = receipts_.owed_count() == 0 && outbox_.waiting_bytes() == 0;
  if (output_dead_ || (input_ended_ && all_is_out)) finish(close_reason_);
}

void Session::drop_output() {
  output_dead_ = true;
  outbox_.clear();
  reply_bytes_ = 0;
  reply_end_ = 0;
  transit_.clear();
  receipts_.forget_all();
  beats_.agree({}, now_.steady);
  stop_deliveries();
}

void Session::finish(CloseReason reason) {
  close_reason_ = reason;
  phase_ = Phase::kDone;
  deadline_.reset();
  note_unread();
  detach();
  decoder_.reset();
  held_.reset();
}

void Session::detach() {
  receipts_.forget_all();
  transit_.clear();
  subscriptions_.clear();
  unacked_.clear();
  transactions_.clear();
  if (const auto peer = std::exchange(peer_, std::nullopt)) router_.detach(*peer);
}

void Session::beat() {
  if (beats_.peer_is_overdue(now_.steady)) {
    fail(CloseReason::kHeartBeatMissed,
         {"Heart-beat missed", "Nothing came for more than twice the " +
                                   in_ms(agreed_beats_.from_client) + " that were agreed."});
    return;
  }
  if (!beats_.beat_is_due(now_.steady)) return;
  // Bytes that wait to be written are a beat themselves (fact E7).
  if (outbox_.waiting_bytes() == 0) outbox_.append("\n");
  beats_.wrote(now_.steady);
}

void Session::time_is_up() {
  deadline_.reset();
  switch (phase_) {
    case Phase::kFresh:
      if (figures_.bytes_in == 0) {
        finish(CloseReason::kProbe);
      } else {
        fail(CloseReason::kLoginTimeout,
             {"Login timeout",
              "No whole CONNECT frame came within " + in_ms(options_.login_timeout) + "."});
      }
      break;
    case Phase::kChecking: finish(end_reason_); break;
    case Phase::kOpen:
      if (held_ && !stopping_) {
        deadline_ = now_.steady + options_.disconnect_hold;  // it waits for room, whoever has gone
      } else {
        finish(stopping_ ? end_reason_ : CloseReason::kIoError);
      }
      break;
    case Phase::kLeaving: finish(close_reason_); break;
    case Phase::kHolding:
      if (last_words_) {
        say_last_words();
      } else {
        finish(close_reason_);
      }
      break;
    case Phase::kDone: break;
  }
}

}  // namespace stompbox::session

#include "broker/session/session.h"

#include <algorithm>
#include <cassert>
#include <utility>

// The calls of the owner. Each is one visit: what happened is noted, then visit_ends() goes on with
// whatever has become possible.
namespace stompbox::session {
namespace {

// Input that is kept while a password is checked; then the peer is not read any more.
constexpr std::size_t kHeldBeforeLoginBytes = 64 * 1024;

}  // namespace

std::string_view to_text(CloseReason reason) {
  switch (reason) {
    case CloseReason::kNone: return "none";
    case CloseReason::kProbe: return "probe";
    case CloseReason::kPeerClosed: return "peer-closed";
    case CloseReason::kDisconnect: return "disconnect";
    case CloseReason::kProtocolError: return "protocol-error";
    case CloseReason::kLoginFailed: return "login-failed";
    case CloseReason::kLoginTimeout: return "login-timeout";
    case CloseReason::kHeartBeatMissed: return "heart-beat-missed";
    case CloseReason::kSlowConsumer: return "slow-consumer";
    case CloseReason::kTlsOnPlainPort: return "tls-on-plain-port";
    case CloseReason::kNoRoom: return "no-room";
    case CloseReason::kShutdown: return "shutdown";
    case CloseReason::kIoError: return "io-error";
  }
  return "unknown";
}

Session::Session(std::uint64_t number, routing::Router& router, Gate& gate, Waker& waker,
                 const SessionOptions& options, Now now, Shared* shared)
    : number_(number),
      router_(router),
      gate_(gate),
      waker_(waker),
      options_(options),
      born_ms_(now.wall_ms),
      shared_(shared),
      now_(now),
      deadline_(now.steady + options.login_timeout),
      error_hold_(options.error_hold),
      outbox_(shared),
      transit_(shared == nullptr ? nullptr : &shared->transits, Shared::kTransitsMax) {
  decoder_.emplace(options.limits);
  decoder_->set_unknown_escapes(options.unknown_escapes);
}

Session::~Session() {
  detach();
}

bool Session::visit_begins(Now now) {
  if (done()) return false;
  assert(!visiting_);
  visiting_ = true;
  now_ = now;
  router_.set_clock(now.wall_ms);
  return true;
}

void Session::visit_ends() {
  do {
    act_on_notes();
    write_due_receipts();
    balance_credit();
  } while (submit_held() || obey_frames() || has_notes());
  go_on_leaving();
  if (wants_read() && owner_reads_) {
    beats_.listen(now_.steady);
  } else {
    beats_.stop_listening(now_.steady);
  }
  visiting_ = false;
}

void Session::wake() {
  if (visiting_ || woken_ || done()) return;
  woken_ = true;
  waker_.wake(number_);
}

void Session::on_bytes(std::string_view bytes, Now now) {
  if (!visit_begins(now)) return;
  figures_.bytes_in += bytes.size();
  beats_.heard(now.steady);
  if (decoder_) {
    decoder_->feed(bytes);
  } else {
    discard(bytes.size());
  }
  visit_ends();
}

void Session::on_written(std::size_t bytes, Now now) {
  outbox_.consume(bytes);
  if (!visit_begins(now)) return;
  if (bytes > 0) beats_.wrote(now.steady);
  if (outbox_.sent() >= reply_end_) reply_bytes_ = 0;
  acknowledge_written();
  visit_ends();
}

void Session::on_end_of_input(Now now) {
  if (!visit_begins(now)) return;
  input_ended_ = true;
  if (end_reason_ == CloseReason::kNone) end_reason_ = CloseReason::kPeerClosed;
  if (phase_ == Phase::kFresh) {
    finish(figures_.bytes_in == 0 ? CloseReason::kProbe : CloseReason::kPeerClosed);
  } else {
    stop_deliveries();
  }
  visit_ends();
}

void Session::on_write_failed(Now now) {
  if (!visit_begins(now)) return;
  if (!output_dead_) {
    drop_output();
    if (phase_ == Phase::kOpen) deadline_ = now.steady + options_.disconnect_hold;
  }
  visit_ends();
}

void Session::on_io_error(Now now) {
  if (!visit_begins(now)) return;
  input_ended_ = true;
  end_reason_ = CloseReason::kIoError;
  drop_output();
  if (phase_ == Phase::kFresh) {
    finish(figures_.bytes_in == 0 ? CloseReason::kProbe : CloseReason::kIoError);
  }
  visit_ends();
}

void Session::on_time(Now now) {
  if (!visit_begins(now)) return;
  if (phase_ == Phase::kOpen) beat();
  if (deadline_ && *deadline_ <= now.steady) time_is_up();
  visit_ends();
}

void Session::on_login(Admitted admitted, Now now) {
  if (done()) return;
  login_answer_ = std::move(admitted);
  if (visiting_) return;  // from within check_login: on_connect looks at it
  if (!visit_begins(now)) return;
  finish_login();
  visit_ends();
}

void Session::on_wake(Now now) {
  woken_ = false;
  if (!visit_begins(now)) return;
  visit_ends();
}

void Session::on_shutdown(Now now) {
  if (!visit_begins(now)) return;
  stopping_ = true;
  end_reason_ = CloseReason::kShutdown;
  const TimePoint latest = now.steady + options_.shutdown_hold;
  deadline_ = deadline_ ? std::min(*deadline_, latest) : latest;
  stop_deliveries();
  if (phase_ == Phase::kFresh) finish(CloseReason::kShutdown);
  visit_ends();
}

void Session::pause_beats(Now now) {
  owner_reads_ = false;
  beats_.stop_listening(now.steady);
}

void Session::resume_beats(Now now) {
  owner_reads_ = true;
  if (wants_read()) beats_.listen(now.steady);
}

void Session::lengthen_hold(std::chrono::milliseconds hold) {
  error_hold_ = std::max(error_hold_, hold);
  if (phase_ == Phase::kHolding && !last_words_)
    deadline_ = std::max(*deadline_, now_.steady + error_hold_);
}

bool Session::may_obey() const {
  if (held_ || !decoder_) return false;
  if (phase_ == Phase::kFresh) return true;
  return phase_ == Phase::kOpen && receipts_.owed_count() < options_.receipts_owed_max &&
         receipts_.owed_bytes() <= options_.outbox_bytes_soft &&
         reply_bytes_ <= options_.outbox_bytes_soft;
}

bool Session::wants_read() const {
  if (input_ended_) return false;
  switch (phase_) {
    case Phase::kFresh: return true;
    case Phase::kChecking: return !stopping_ && held_bytes() <= kHeldBeforeLoginBytes;
    case Phase::kOpen: return !stopping_ && may_obey();
    case Phase::kLeaving: return true;
    case Phase::kHolding: return true;
    case Phase::kDone: return false;
  }
  return false;
}

bool Session::wants_shutdown() const {
  return phase_ == Phase::kLeaving && receipts_.owed_count() == 0;
}

std::optional<TimePoint> Session::next_event() const {
  if (done()) return std::nullopt;
  const auto beat = phase_ == Phase::kOpen ? beats_.next_event() : std::nullopt;
  if (!beat || !deadline_) return beat ? beat : deadline_;
  return std::min(*beat, *deadline_);
}

std::size_t Session::held_bytes() const {
  std::size_t bytes = (decoder_ ? decoder_->held_bytes() : 0) + transaction_bytes();
  if (!held_) return bytes;
  if (const auto* const draft = std::get_if<routing::Draft>(&held_->work)) {
    bytes += draft->body.size() + draft->header_block.size();
  } else {
    bytes += std::get<Transaction>(held_->work).bytes();
  }
  return bytes;
}

bool Session::obey_frames() {
  bool any = false;
  while (may_obey()) {
    std::optional<protocol::DecodeEvent> event = decoder_->next();
    if (!event) break;
    any = true;
    if (auto* const frame = std::get_if<Frame>(&*event)) {
      obey(std::move(*frame));
      if (decoder_) decoder_->use_again(std::move(frame->headers));
    } else {
      fail_to_decode(std::get<protocol::ProtocolError>(*event));
    }
    write_due_receipts();
    balance_credit();
  }
  if (decoder_) decoder_->keep_unread();
  return any;
}

void Session::discard(std::size_t bytes) {
  discarded_bytes_ += bytes;
  if (discarded_bytes_ > options_.discard_bytes_max) finish(close_reason_);
}

}  // namespace stompbox::session

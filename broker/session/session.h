#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "broker/routing/router.h"
#include "broker/session/beats.h"
#include "broker/session/options.h"
#include "broker/session/outbox.h"
#include "broker/session/receipts.h"
#include "broker/session/refusal.h"
#include "broker/session/subscriptions.h"
#include "broker/session/unacked.h"
#include "protocol/decoder.h"

namespace stompbox::session {

using TimePoint = std::chrono::steady_clock::time_point;

// The moment that a call happens at, handed in: sessions read no clock.
struct Now {
  TimePoint steady;
  std::int64_t wall_ms = 0;
};

// Why a connection ended; one word each in the log.
enum class CloseReason : std::uint8_t {
  kNone,
  kProbe,          // never sent a byte
  kPeerClosed,     // end of file without DISCONNECT
  kDisconnect,     // DISCONNECT
  kProtocolError,  // an ERROR was sent
  kLoginFailed,
  kLoginTimeout,
  kHeartBeatMissed,
  kSlowConsumer,
  kTlsOnPlainPort,
  kNoRoom,  // a SEND that asked for a receipt could not be stored
  kShutdown,
  kIoError,  // the socket failed
};
[[nodiscard]] std::string_view to_text(CloseReason reason);

// Decides who may come in. The answer may come later, through Session::on_login.
class Gate {
 public:
  virtual ~Gate() = default;
  // Answered by exactly one on_login, possibly before this returns. Copies what it keeps.
  virtual void check_login(std::uint64_t session, std::string_view login,
                           std::string_view passcode) = 0;
};

// Who runs a session is told when it has something to do that nobody fed to it.
class Waker {
 public:
  virtual ~Waker() = default;
  // Output came in from routing, a receipt fell due, room is there again: call on_wake soon, then
  // write the outbox out. Not repeated until on_wake was called. Must not call the session.
  virtual void wake(std::uint64_t session) = 0;
};

enum class LoginResult { kWelcome, kWrong, kTryLater };

// One peer's conversation: bytes and time in, bytes and wishes out. Pure; loop thread only.
//
//   fresh ──CONNECT──▶ checking ──welcome──▶ open ──DISCONNECT / end of file──▶ leaving ──▶ done
//     │                   │                   │
//     └───── any fault: ERROR ────────────────┴──▶ holding (input read and thrown away) ──▶ done
//
// The owner: feeds bytes while wants_read(), writes outbox() out and reports it with on_written(),
// calls on_time() at or after next_event(), and closes the socket when done() says so; when
// wants_shutdown() turns true and the outbox is empty, it shuts down the sending side. Every on_…
// may change all of these: look again after each. After done() all on_… do nothing.
//
// holding keeps the socket open both ways: clients that see the end of file at once come back at
// once, hundreds of times a second. fresh, checking and holding get nothing from routing.
class Session final : public routing::Consumer {
 public:
  enum class Phase : std::uint8_t { kFresh, kChecking, kOpen, kLeaving, kHolding, kDone };

  // `number` names the session in the log and at the gate. References outlive the session.
  Session(std::uint64_t number, routing::Router& router, Gate& gate, Waker& waker,
          const SessionOptions& options, Now now);
  ~Session() override;  // detaches
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Bytes that cannot be obeyed yet are kept (held_bytes), so more than wants_read() asked for is
  // never lost.
  void on_bytes(std::string_view bytes, Now now);
  void on_written(std::size_t bytes, Now now);
  // No more bytes will come. Everything read before is processed, what is held as soon as it can be
  // (fact H9); then what we owe goes out, for SessionOptions::disconnect_hold at most.
  void on_end_of_input(Now now);
  // The socket cannot be written any more; what it still holds for reading may yet be fed.
  void on_write_failed(Now now);
  // The socket is dead both ways. What is held is processed still if it can be at once.
  void on_io_error(Now now);
  void on_time(Now now);
  void on_login(LoginResult result, Now now);
  // After Waker::wake: goes on with what was held.
  void on_wake(Now now);
  // Server stop: nothing more is read, what we owe goes out, then the end of file (fact H11: no
  // ERROR, old clients ignore it). The owner reads what the kernel holds before.
  void on_shutdown(Now now);
  // For a peer or address that keeps failing: ERRORs hold at least that long.
  void lengthen_hold(std::chrono::milliseconds hold);

  [[nodiscard]] bool wants_read() const;
  [[nodiscard]] bool wants_shutdown() const;  // of the sending side, once the outbox is empty
  [[nodiscard]] bool done() const { return phase_ == Phase::kDone; }  // close now
  [[nodiscard]] std::optional<TimePoint> next_event() const;
  [[nodiscard]] Outbox& outbox() { return outbox_; }
  // Input that was fed and could not be handled yet (room, login, receipts owed).
  [[nodiscard]] std::size_t held_bytes() const;

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] CloseReason close_reason() const { return close_reason_; }
  // Of an ERROR: its message and its text, for the log. May quote the peer, never a passcode.
  [[nodiscard]] std::string_view close_detail() const { return close_detail_; }
  // Login of an open session, may be empty.
  [[nodiscard]] std::string_view user() const { return user_; }
  [[nodiscard]] std::optional<protocol::Version> version() const { return version_; }
  // Counters for the log line at the end.
  struct Figures {
    std::uint64_t frames_in = 0, sends = 0, deliveries = 0, bytes_in = 0;
    std::uint64_t mended_lengths = 0;  // short content-length of an old gem, logged once
  };
  [[nodiscard]] const Figures& figures() const { return figures_; }

  // routing::Consumer
  void deliver(const routing::Delivery& delivery) override;
  void receipt_due(routing::ReceiptNumber receipt) override;
  void refused(routing::ReceiptNumber receipt, const storage::Error& error) override;
  void too_slow(std::uint32_t tag) override;
  void room_again() override;

 private:
  using Frame = protocol::Frame;
  using ReceiptText = std::optional<std::string>;

  enum class Verdict : std::uint8_t { kAck, kNack };

  // A SEND that the router had no room for.
  struct HeldSend {
    routing::Draft draft;
    ReceiptText receipt;
  };
  // An auto delivery that is done when the kernel has taken the outbox up to there.
  struct Transit {
    std::uint64_t position;
    routing::SubscriptionId subscription;
    routing::DeliveryId delivery;
  };
  // Said by routing in the middle of its work; acted upon when that is done.
  struct Refused {
    routing::ReceiptNumber receipt;
    storage::Error error;
  };

  // Every on_… is one visit: visit_begins, what happened, visit_ends, which goes on with whatever
  // that made possible. False: the session is done.
  [[nodiscard]] bool visit_begins(Now now);
  void visit_ends();
  void wake();

  // Input.
  [[nodiscard]] bool may_obey() const;     // the next frame, now
  [[nodiscard]] bool may_deliver() const;  // somebody is there to read and to acknowledge
  [[nodiscard]] bool has_notes() const;
  bool obey_frames();  // true if there was any
  void obey(Frame&& frame);
  void discard(std::size_t bytes);

  // Login.
  void on_connect(const Frame& frame);
  [[nodiscard]] bool agree_version(const Frame& frame);
  [[nodiscard]] bool agree_beats(const Frame& frame);
  void finish_login();
  void write_connected();

  // Frames of an open session.
  void on_send(Frame&& frame);
  void on_subscribe(const Frame& frame);
  void on_unsubscribe(const Frame& frame);
  void on_verdict(const Frame& frame, Verdict verdict);
  void on_transaction(const Frame& frame);
  void on_disconnect(const Frame& frame);

  [[nodiscard]] bool refuse_transaction(const Frame& frame);
  void submit(routing::Draft&& draft, ReceiptText&& receipt);
  bool submit_held();
  [[nodiscard]] Subscription* find_unsubscribed(const Frame& frame);
  [[nodiscard]] std::variant<AckId, Refusal> find_acked(const Frame& frame);
  [[nodiscard]] std::optional<AckId> find_acked_message(
      queue::MessageId message, std::optional<std::string_view> subscription);
  void settle(const AckId& target, Verdict verdict, const Frame& frame);

  // Output.
  [[nodiscard]] std::optional<routing::ReceiptNumber> owe_receipt(const Frame& frame);
  void owe_due_receipt(const Frame& frame);
  void write_due_receipts();
  void acknowledge_written();
  void start(Subscription& subscription);
  void balance_credit();
  void stop_deliveries();
  void resume_deliveries();
  void write_frame(const Frame& frame);
  [[nodiscard]] protocol::Version dialect() const;
  void drop_output();

  // The end.
  void fail(CloseReason reason, const Refusal& refusal, const ReceiptText& receipt = std::nullopt);
  void fail(const Frame& frame, const Refusal& refusal);
  void fail_to_decode(const protocol::ProtocolError& error);
  void write_error(const Refusal& refusal, const ReceiptText& receipt);
  void act_on_notes();
  void go_on_leaving();
  void throw_input_away();
  void start_leaving(CloseReason reason);
  void finish(CloseReason reason);
  void detach();
  void beat();
  void time_is_up();

  // Constant after construction.
  const std::uint64_t number_;
  routing::Router& router_;
  Gate& gate_;
  Waker& waker_;
  const SessionOptions& options_;
  const std::int64_t born_ms_;

  // Of this visit.
  Now now_;
  bool visiting_ = false;
  bool woken_ = false;

  Phase phase_ = Phase::kFresh;
  CloseReason close_reason_ = CloseReason::kNone;
  CloseReason end_reason_ = CloseReason::kNone;  // why no more input comes
  std::string close_detail_;
  std::string user_;
  std::optional<protocol::Version> version_;
  std::optional<LoginResult> login_answer_;
  std::optional<TimePoint> deadline_;  // of the present phase
  std::chrono::milliseconds error_hold_;
  bool input_ended_ = false;
  bool stopping_ = false;     // the broker ends
  bool output_dead_ = false;  // nothing can be written any more
  std::size_t discarded_bytes_ = 0;
  Figures figures_;

  // Input.
  std::optional<protocol::FrameDecoder> decoder_;  // nothing once the input is thrown away
  std::optional<HeldSend> held_;
  protocol::AgreedBeats agreed_beats_;
  Beats beats_;

  // Output.
  Outbox outbox_;
  Receipts receipts_;
  std::size_t reply_bytes_ = 0;  // of receipts written since all were out
  std::uint64_t reply_end_ = 0;  // position behind the last
  std::deque<Transit> transit_;

  // Routing.
  std::optional<routing::PeerId> peer_;
  Subscriptions subscriptions_;
  Unacked unacked_;
  bool deliveries_stopped_ = false;  // no credit: the outbox is full, or the peer leaves
  std::uint32_t last_resumed_ = 0;   // tag: who comes next when there is room again

  // Notes from routing.
  bool overrun_ = false;
  std::optional<std::uint32_t> slow_tag_;
  std::optional<Refused> refused_;
};

}  // namespace stompbox::session

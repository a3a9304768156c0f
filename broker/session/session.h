#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
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
#include "broker/session/rights.h"
#include "broker/session/send_frame.h"
#include "broker/session/shared.h"
#include "broker/session/short_queue.h"
#include "broker/session/subscribe_frame.h"
#include "broker/session/subscriptions.h"
#include "broker/session/transactions.h"
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

// What a CONNECT says of who is there.
struct Credentials {
  std::string_view login;
  std::string_view passcode;
  std::string_view host;       // header of CONNECT, any text (fact D9)
  std::string_view client_id;  // of durable subscriptions
};

// What a refused peer wanted, for the log.
struct Denial {
  std::string_view operation;  // one word
  std::string_view destination;
};

// Decides who may come in. The answer may come later, through Session::on_login.
class Gate {
 public:
  virtual ~Gate() = default;
  // Answered by exactly one on_login, possibly before this returns. Copies what it keeps.
  virtual void check_login(std::uint64_t session, const Credentials& credentials) = 0;
  // The session was refused something by its Rights and gets an ERROR: to be logged and counted.
  virtual void denied(std::uint64_t session, const Denial& denial) = 0;
};

// Who runs a session is told when it has something to do that nobody fed to it.
class Waker {
 public:
  virtual ~Waker() = default;
  // Output came in from routing, a receipt fell due, room is there again: call on_wake soon, then
  // write the outbox out. Not repeated until on_wake was called. Must not call the session.
  virtual void wake(std::uint64_t session) = 0;
};

enum class LoginResult { kWelcome, kWrong, kTryLater, kTooMany };

struct Admitted {
  LoginResult result = LoginResult::kWrong;
  std::string user;  // whose rights these are: the login, or a certificate's name
  std::shared_ptr<const Rights> rights;  // null: everything is allowed
  // Random, without dots: makes the names of the peer's temporary queues hard to guess.
  std::string secret = {};
};

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

  // `number` names the session in the log and at the gate. References, and `shared` if it is not
  // null, outlive the session.
  Session(std::uint64_t number, routing::Router& router, Gate& gate, Waker& waker,
          const SessionOptions& options, Now now, Shared* shared = nullptr);
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
  void on_login(Admitted admitted, Now now);
  // After Waker::wake: goes on with what was held.
  void on_wake(Now now);
  // Server stop: nothing more is read, what we owe goes out, then the end of file (fact H11: no
  // ERROR, old clients ignore it). The owner reads what the kernel holds before.
  void on_shutdown(Now now);
  // The owner does not read for a reason of its own (a budget of all connections together): the
  // clock of the peer's heart-beat stands still meanwhile.
  void pause_beats(Now now);
  void resume_beats(Now now);
  // For a peer or address that keeps failing: ERRORs hold at least that long.
  void lengthen_hold(std::chrono::milliseconds hold);

  [[nodiscard]] bool wants_read() const;
  [[nodiscard]] bool wants_shutdown() const;  // of the sending side, once the outbox is empty
  [[nodiscard]] bool done() const { return phase_ == Phase::kDone; }  // close now
  [[nodiscard]] std::optional<TimePoint> next_event() const;
  [[nodiscard]] Outbox& outbox() { return outbox_; }
  // Input that was fed and could not be handled yet (room, login, receipts owed).
  [[nodiscard]] std::size_t held_bytes() const;
  // A frame has begun to come, or whole ones wait to be obeyed: at a stop there is more to hear.
  [[nodiscard]] bool mid_frame() const { return decoder_ && decoder_->held_bytes() > 0; }
  // What waits for a COMMIT. It cannot be given back by not reading: the COMMIT comes the same way.
  [[nodiscard]] std::size_t transaction_bytes() const { return transactions_.bytes(); }

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
    std::uint64_t unread_bytes = 0;    // came, and was given up: a sender may not know
  };
  [[nodiscard]] const Figures& figures() const { return figures_; }

  // routing::Consumer
  void deliver(const routing::Delivery& delivery) override;
  void receipt_due(routing::ReceiptNumber receipt) override;
  void refused(routing::ReceiptNumber receipt, const storage::Error& error) override;
  void too_slow(std::uint32_t tag) override;
  void browse_end(std::uint32_t tag) override;
  void room_again() override;

 private:
  using Frame = protocol::Frame;
  using ReceiptText = std::optional<std::string>;

  // What the router had no room for: one message, or all of a transaction.
  struct Held {
    std::variant<routing::Draft, Transaction> work;
    ReceiptText receipt;
    protocol::Command command = protocol::Command::kSend;
  };
  // An ERROR that lets earlier receipts go first.
  struct LastWords {
    Refusal refusal;
    ReceiptText receipt;
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
  void on_verdict(const Frame& frame);
  void on_begin(const Frame& frame);
  void on_end_of_transaction(const Frame& frame);
  void on_disconnect(const Frame& frame);

  [[nodiscard]] std::optional<Refusal> check_members(const SendWish& wish) const;
  [[nodiscard]] bool may_send(const Frame& frame, const SendWish& wish);
  [[nodiscard]] bool may_name_origin(const Frame& frame, const SendWish& wish) const;
  [[nodiscard]] bool imply_reply_queue(const Frame& frame, std::string_view destination);
  void submit(routing::Draft&& draft, ReceiptText&& receipt);
  void submit_together(Transaction&& transaction, ReceiptText&& receipt, protocol::Command command);
  [[nodiscard]] Refusal no_room(protocol::Command command) const;
  bool submit_held();

  // What comes within a transaction. find_transaction: nothing if it was refused.
  [[nodiscard]] Transaction* find_transaction(const Frame& frame, std::string_view id);
  void add_send(const Frame& frame, Transaction& transaction, SendWish&& wish);
  void add_verdict(const Frame& frame, Transaction& transaction, const AckId& target,
                   routing::Outcome outcome);
  void finish_addition(const Frame& frame, Transaction& transaction);
  void abort(const Transaction& transaction);

  [[nodiscard]] bool may_subscribe(const Frame& frame, const SubscribeWish& wish);
  [[nodiscard]] Subscription* add_subscription(const Frame& frame, SubscribeWish&& wish);
  void end_subscription(Subscription& subscription);
  [[nodiscard]] Subscription* find_unsubscribed(const Frame& frame);
  void forget_durable(const Frame& frame, const std::string& name);

  [[nodiscard]] std::optional<routing::Outcome> read_outcome(const Frame& frame);
  [[nodiscard]] std::variant<AckId, Refusal> find_acked(const Frame& frame);
  [[nodiscard]] std::optional<AckId> find_acked_message(
      queue::MessageId message, std::optional<std::string_view> subscription);
  void settle(const AckId& target, routing::Outcome outcome, const Frame& frame);
  [[nodiscard]] bool conclude(const Subscription& subscription, routing::DeliveryId delivery,
                              routing::Reach reach, routing::Outcome outcome,
                              std::optional<routing::ReceiptNumber> receipt);
  void drop_if_spent(std::uint32_t tag);

  // Rights. False: denied, and the peer has been told.
  [[nodiscard]] bool permit(const Frame& frame, Operation operation,
                            const routing::DestinationView& destination);
  // The same, and to create it if it is not there.
  [[nodiscard]] bool permit_use(const Frame& frame, Operation operation,
                                const routing::DestinationView& destination);
  void deny(const Frame& frame, Operation operation, const routing::DestinationView& destination);

  // Output.
  [[nodiscard]] std::optional<routing::ReceiptNumber> owe_receipt(const Frame& frame);
  void owe_due_receipt(const Frame& frame);
  void write_due_receipts();
  void acknowledge_written();
  void start(Subscription& subscription);
  void balance_credit();
  void stop_deliveries();
  void resume_deliveries();
  [[nodiscard]] bool is_congested() const;
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
  void say_last_words();
  void start_leaving(CloseReason reason);
  void note_unread();
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
  Shared* const shared_;

  // Of this visit.
  Now now_;
  bool visiting_ = false;
  bool woken_ = false;

  Phase phase_ = Phase::kFresh;
  CloseReason close_reason_ = CloseReason::kNone;
  CloseReason end_reason_ = CloseReason::kNone;  // why no more input comes
  std::string close_detail_;
  std::string user_;
  std::string client_id_;
  std::string owner_;  // of temporary destinations, for strangers
  std::optional<protocol::Version> version_;
  std::optional<Admitted> login_answer_;
  std::shared_ptr<const Rights> rights_;
  std::optional<TimePoint> deadline_;  // of the present phase
  std::chrono::milliseconds error_hold_;
  bool input_ended_ = false;
  bool stopping_ = false;     // the broker ends
  bool output_dead_ = false;  // nothing can be written any more
  std::size_t discarded_bytes_ = 0;
  Figures figures_;

  // Input.
  std::optional<protocol::FrameDecoder> decoder_;  // nothing once the input is thrown away
  std::optional<Held> held_;
  Transactions transactions_;
  bool owner_reads_ = true;  // the owner of this session: see pause_beats
  protocol::AgreedBeats agreed_beats_;
  Beats beats_;

  // Output.
  Outbox outbox_;
  Receipts receipts_;
  std::size_t reply_bytes_ = 0;  // of receipts written since all were out
  std::uint64_t reply_end_ = 0;  // position behind the last
  ShortQueue<Transit> transit_;

  // Routing.
  std::optional<routing::PeerId> peer_;
  Subscriptions subscriptions_;
  Unacked unacked_;
  bool has_browsed_ = false;
  bool deliveries_stopped_ = false;  // no credit: the outbox is full, or the peer leaves
  std::uint32_t last_resumed_ = 0;   // tag: who comes next when there is room again

  // Notes from routing.
  bool overrun_ = false;
  std::optional<std::uint32_t> slow_tag_;
  std::optional<Refused> refused_;

  std::optional<LastWords> last_words_;
};

}  // namespace stompbox::session

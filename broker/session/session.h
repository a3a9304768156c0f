#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/routing/router.h"
#include "broker/session/options.h"
#include "broker/session/outbox.h"
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
  kProbe,             // never sent a byte
  kPeerClosed,        // end of file without DISCONNECT
  kDisconnect,        // DISCONNECT
  kProtocolError,     // an ERROR was sent
  kLoginFailed,
  kLoginTimeout,
  kHeartBeatMissed,
  kSlowConsumer,
  kTlsOnPlainPort,
  kNoRoom,            // a SEND that asked for a receipt could not be stored
  kShutdown,
  kIoError,           // the socket failed
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
  // Output came in from routing, a receipt fell due, room is there again: write the outbox out and
  // call on_wake soon. Not repeated until on_wake was called. Must not call the session.
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
// wants_shutdown() turns true and the outbox is empty, it shuts down the sending side.
class Session final : public routing::Consumer {
 public:
  enum class Phase : std::uint8_t { kFresh, kChecking, kOpen, kLeaving, kHolding, kDone };

  // `number` names the session in the log and at the gate. References outlive the session.
  Session(std::uint64_t number, routing::Router& router, Gate& gate, Waker& waker,
          const SessionOptions& options, Now now);
  ~Session() override;  // detaches

  void on_bytes(std::string_view bytes, Now now);
  void on_written(std::size_t bytes, Now now);
  // No more bytes will come. Everything read before has been processed (fact H9).
  void on_end_of_input(Now now);
  // The socket cannot be written any more; what it still holds for reading may yet be fed.
  void on_write_failed(Now now);
  // The socket is dead both ways.
  void on_io_error(Now now);
  void on_time(Now now);
  void on_login(LoginResult result, Now now);
  // After Waker::wake: goes on with what was held.
  void on_wake(Now now);
  // Server stop: ERROR to open peers, then leaving.
  void on_shutdown(Now now);

  [[nodiscard]] bool wants_read() const;
  [[nodiscard]] bool wants_shutdown() const;  // of the sending side, once the outbox is empty
  [[nodiscard]] bool done() const;            // close now
  [[nodiscard]] std::optional<TimePoint> next_event() const;
  [[nodiscard]] Outbox& outbox();
  // Input that was fed and could not be handled yet (room, login, receipts owed).
  [[nodiscard]] std::size_t held_bytes() const;

  [[nodiscard]] Phase phase() const;
  [[nodiscard]] CloseReason close_reason() const;
  [[nodiscard]] std::string_view close_detail() const;  // of an ERROR: its message, for the log
  [[nodiscard]] std::string_view user() const;          // login of an open session, may be empty
  [[nodiscard]] std::optional<protocol::Version> version() const;
  // Counters for the log line at the end.
  struct Figures {
    std::uint64_t frames_in = 0, sends = 0, deliveries = 0, bytes_in = 0;
    std::uint64_t mended_lengths = 0;  // short content-length of an old gem, logged once
  };
  [[nodiscard]] const Figures& figures() const;

  // routing::Consumer
  void deliver(const routing::Delivery& delivery) override;
  void receipt_due(routing::ReceiptNumber receipt) override;
  void refused(routing::ReceiptNumber receipt, const storage::Error& error) override;
  void too_slow(std::uint32_t tag) override;
  void room_again() override;
};

}  // namespace stompbox::session

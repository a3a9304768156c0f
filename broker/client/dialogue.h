#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/decoder.h"
#include "protocol/frame.h"
#include "protocol/heart_beat.h"
#include "protocol/version.h"
#include "storage/result.h"

namespace stompbox::client {

struct DialogueOptions {
  std::string virtual_host = "/";  // the `host` header: RabbitMQ's vhost, others do not mind
  std::string login;               // empty: anonymous
  std::string passcode;
  std::chrono::milliseconds beat{10'000};      // offered and wanted; 0: none
  std::chrono::milliseconds patience{30'000};  // for CONNECTED, and for the receipt of DISCONNECT
  protocol::DecodeLimits limits;
};

// What a Stompbox is asked to say in each MESSAGE: when it arrived there, in milliseconds of UNIX
// time. The same at every delivery, to whomever.
inline constexpr std::string_view kArrivalHeader = "stompbox-arrival";

// What a broker may have under way to a subscription, as far as it knows such a thing.
struct Window {
  std::size_t count = 1;
  std::size_t bytes = 1;
};

// A consumer's side of one STOMP connection, of version 1.0, 1.1 or 1.2, as the broker likes: bytes
// in, bytes out, the time handed in; no socket. Acknowledges each message by itself.
//
//   logging in ──CONNECTED──▶ open ──leave()──▶ leaving ──receipt, or the end──▶ left
//        └──────────────────────┴── ERROR, no STOMP, silence ──▶ failed
//
// 1.0 has no acknowledgement of one message: there `ack:client` may mean all before it, too. So an
// ACK is held back until all earlier messages of the connection are settled, and then goes out for
// each, which is right for brokers of either reading.
class Dialogue {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Opened {
    protocol::Version version = protocol::Version::k10;
    std::string server;  // as it calls itself, may be empty
  };
  struct Arrived {
    std::uint32_t tag = 0;
    std::uint64_t number = 0;  // of the delivery: from 1, growing
    protocol::Frame message;
  };
  struct Confirmed {
    std::uint64_t receipt = 0;
  };
  struct Left {};
  struct Failed {
    storage::Error error;  // kDenied: the login; kInvalid: an ERROR after it; kBusy: silence
  };
  using Event = std::variant<Opened, Arrived, Confirmed, Left, Failed>;

  // The CONNECT frame is the first output.
  Dialogue(DialogueOptions options, TimePoint now);

  void feed(std::string_view bytes, TimePoint now);
  void on_time(TimePoint now);
  [[nodiscard]] std::optional<TimePoint> next_event() const;
  [[nodiscard]] std::optional<Event> next();
  // Bytes to send, each once.
  [[nodiscard]] std::string take_output();
  // While we do not read, the broker's silence is ours.
  void stop_listening(TimePoint now);
  void listen(TimePoint now);

  // The following: when open only. Tags are below 1,000.
  void subscribe(std::uint32_t tag, const std::string& destination, Window window, TimePoint now);
  // Once for each message; it has not to be the oldest.
  void acknowledge(std::uint64_t number, TimePoint now);
  // The receipt's number, which Confirmed will have. `headers` is in 1.2 form.
  [[nodiscard]] std::uint64_t send(std::string_view destination, std::string_view header_block,
                                   std::string body, TimePoint now);
  void leave(TimePoint now);

  // Messages that came and are not acknowledged.
  [[nodiscard]] std::size_t unacknowledged() const { return unacknowledged_.size(); }
  [[nodiscard]] bool is_open() const { return phase_ == Phase::kOpen; }
  [[nodiscard]] const std::string& server() const { return server_; }

 private:
  enum class Phase : std::uint8_t { kLoggingIn, kOpen, kLeaving, kLeft, kFailed };
  struct Unacknowledged {
    std::string subscription;  // as the broker has it; may be empty in 1.0
    std::string message_id;
    std::string ack;       // 1.2
    bool settled = false;  // 1.0: its ACK waits for those before it
  };

  void take(protocol::Frame frame, TimePoint now);
  void on_connected(const protocol::Frame& frame, TimePoint now);
  void on_message(protocol::Frame frame);
  void on_receipt(const protocol::Frame& frame);
  void on_error(const protocol::Frame& frame);
  void fail(storage::Error error);
  void write(const protocol::Frame& frame, TimePoint now);
  void write_ack(const Unacknowledged& message, TimePoint now);
  [[nodiscard]] std::optional<std::uint32_t> tag_of(const protocol::Frame& message) const;
  [[nodiscard]] std::optional<TimePoint> next_beat() const;
  [[nodiscard]] std::optional<TimePoint> silence_ends() const;
  [[nodiscard]] bool is_waiting() const {
    return phase_ == Phase::kLoggingIn || phase_ == Phase::kLeaving;
  }

  const DialogueOptions options_;
  protocol::FrameDecoder decoder_;
  Phase phase_ = Phase::kLoggingIn;
  protocol::Version version_ = protocol::Version::k10;
  std::string server_;
  std::string output_;
  std::deque<Event> events_;
  std::vector<std::pair<std::uint32_t, std::string>> subscriptions_;  // tag, destination
  std::map<std::uint64_t, Unacknowledged> unacknowledged_;
  std::uint64_t last_number_ = 0;
  std::uint64_t last_receipt_ = 0;
  std::uint64_t farewell_ = 0;  // the receipt of our DISCONNECT

  protocol::AgreedBeats beats_;
  TimePoint patience_ends_;  // logging in, and leaving
  TimePoint last_heard_;
  TimePoint last_wrote_;
  std::optional<TimePoint> deaf_since_;
};

}  // namespace stompbox::client

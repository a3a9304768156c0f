#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/arrival_stamp.h"
#include "broker/client/broker_url.h"
#include "broker/client/dialogue.h"
#include "broker/client/failover.h"
#include "broker/drain/source.h"

namespace stompbox {

struct StompSourceOptions {
  std::vector<client::BrokerUrl> brokers;  // in order of preference, at least one
  client::DialogueOptions dialogue;
  client::FailoverOptions failover;
  std::string dead_letters;  // destination; empty: by the kind of the broker
  std::chrono::milliseconds hold_max{10'000};
  std::size_t held_bytes_max = 64 * 1024 * 1024;  // beyond it nothing is read
};

// What happened, for the log.
class SourceObserver {
 public:
  virtual ~SourceObserver() = default;
  virtual void on_source_open(const client::BrokerUrl& broker,
                              const client::Dialogue::Opened& opened) = 0;
  virtual void on_source_lost(const client::BrokerUrl& broker, const storage::Error& why,
                              std::chrono::milliseconds retry_in) = 0;
  // What was taken went back unstored, because the database is in trouble for too long.
  virtual void on_handed_back(std::size_t messages) = 0;
};

struct SourceFigures {
  bool connected = false;
  std::size_t broker = 0;  // the one that is connected, or tried next
  std::string server;
  std::uint64_t received = 0, acknowledged = 0, letters = 0, connections = 0;
  std::size_t held = 0;  // messages here that are not acknowledged
};

// The queues of another broker, as the drain's source: which broker, when to connect, what to hold,
// what to acknowledge when. No socket and no clock: the edge connects, brings bytes and the time,
// and sends what take_output() has; after each event it calls advance(). Loop thread only.
//
//   away ──connect()──▶ connecting ──CONNECTED──▶ open ──▶ away: lost, handed back, window widened
//                                                  └─ leave() ──▶ left: for good
//
// A broker's window cannot be changed on a subscription, and a NACK means another thing to each
// broker (ActiveMQ makes a dead letter of it). So what is given back is held here, unacknowledged,
// and offered again when there is credit; after `hold_max` in trouble the connection is closed,
// which gives all of it back to any broker. While the drain only probes, the window is one message.
class StompSource final : public drain::Source {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // The observer outlives this. `wake` is called at most once between two advance(), when the drain
  // has said something: it arranges for an advance() soon and calls nothing of the source.
  StompSource(StompSourceOptions options, SourceObserver& observer, std::function<void()> wake);
  ~StompSource() override;
  StompSource(const StompSource&) = delete;
  StompSource& operator=(const StompSource&) = delete;

  // The edge.
  // The broker to connect to now; nothing: none.
  [[nodiscard]] const client::BrokerUrl* wants_connection(TimePoint now) const;
  void connecting();
  void connected(TimePoint now);
  // It cannot be had, or has ended. The bytes that came before are to be brought first.
  void lost(const storage::Error& why, TimePoint now);
  void came(std::string_view bytes, TimePoint now, std::int64_t wall_ms);
  [[nodiscard]] std::string take_output();
  [[nodiscard]] bool wants_input() const;
  // It is done with the connection: the edge sends what there is, closes, and tells nothing.
  [[nodiscard]] bool take_close();
  void advance(TimePoint now, std::int64_t wall_ms);
  [[nodiscard]] std::optional<TimePoint> next_event() const;

  // After close(), with nothing under way in the drain: says DISCONNECT when all letters are kept.
  void leave();
  [[nodiscard]] bool has_left() const { return leaving_ && state_ == State::kAway; }
  [[nodiscard]] SourceFigures figures() const;

  // drain::Source
  void attach(drain::Taker& taker) override { taker_ = &taker; }
  [[nodiscard]] storage::Status subscribe(std::uint32_t tag, const std::string& queue,
                                          routing::Credit credit) override;
  void set_credit(std::uint32_t tag, routing::Credit credit) override;
  void close() override;
  void done(std::uint64_t item) override;
  void give_back(std::uint64_t item) override;
  [[nodiscard]] bool dead_letter(std::uint64_t item, const routing::DeadLetterReason& reason,
                                 std::int64_t wall_ms) override;
  // Nobody tells: several drains at one queue are what this is for.
  [[nodiscard]] bool contested(std::uint32_t) override { return false; }

 private:
  enum class State : std::uint8_t { kAway, kConnecting, kOpen };
  struct Feed {
    std::string destination;
    routing::Credit full;
    routing::Credit credit;
    std::size_t taken_count = 0;  // with the drain
    std::size_t taken_bytes = 0;
    std::map<std::uint64_t, queue::MessagePtr> backlog;  // not with it, by delivery
  };
  struct Taken {
    std::uint32_t tag = 0;
    std::uint64_t delivery = 0;  // of the dialogue
    queue::MessagePtr message;
  };

  void take_events(std::int64_t wall_ms);
  void on_opened(const client::Dialogue::Opened& opened);
  void on_arrived(client::Dialogue::Arrived arrived, std::int64_t wall_ms);
  void on_confirmed(std::uint64_t receipt);
  void offer();
  void offer_from(std::uint32_t tag, Feed& feed);
  [[nodiscard]] std::optional<Taken> take_out(std::uint64_t item);
  void acknowledge(std::uint64_t delivery);
  void watch_trouble();
  void ask_for_wake();
  void go_away();
  void drop_all();
  [[nodiscard]] bool in_trouble() const;
  [[nodiscard]] std::size_t held_count() const;
  [[nodiscard]] std::string letters_destination(const std::string& from) const;

  // Constant after construction.
  const StompSourceOptions options_;
  SourceObserver& observer_;
  const std::function<void()> wake_;

  drain::Taker* taker_ = nullptr;
  State state_ = State::kAway;
  TimePoint now_{};  // of the edge's last call
  client::Failover failover_;
  std::unique_ptr<client::Dialogue> dialogue_;  // null: away
  TimePoint opened_at_{};
  bool narrow_ = false;  // subscribed with a window of one
  bool wake_asked_ = false;
  bool close_asked_ = false;
  std::string last_words_;  // of a dialogue that is over
  bool closed_ = false;     // nothing more is taken
  bool leaving_ = false;
  std::optional<TimePoint> trouble_since_;  // credit below its full measure

  std::map<std::uint32_t, Feed> feeds_;             // by tag
  std::map<std::uint64_t, Taken> taken_;            // by item
  std::map<std::uint64_t, std::uint64_t> letters_;  // receipt: delivery that it replaces
  std::size_t held_bytes_ = 0;                      // of backlog and taken
  std::uint64_t last_item_ = 0;
  ArrivalStamps stamps_;
  SourceFigures figures_;
};

}  // namespace stompbox

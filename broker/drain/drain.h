#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/drain/options.h"
#include "broker/drain/round.h"
#include "broker/drain/source.h"
#include "broker/routing/router.h"

// The stage that stores what waits in the catalog and facts queues, of this broker or of another.
namespace stompbox::drain {

using TimePoint = std::chrono::steady_clock::time_point;

// Messages that were in the drain at unclean exits of the process, by ledger_key(), and at how
// many. From CrashLedger.
using Suspects = std::unordered_map<std::uint64_t, unsigned>;

// Where rounds go: worker threads in the broker, a list in the simulation. Each round handed over
// is answered by exactly one Drain::on_round_done, never from within hand_over.
class Workshop {
 public:
  virtual ~Workshop() = default;
  virtual void hand_over(Round round) = 0;
};

struct DrainFigures {
  bool enabled = false;
  std::uint64_t stored = 0, unchanged = 0;  // catalogs
  std::uint64_t facts_stored = 0;
  std::uint64_t superseded = 0, skipped = 0, dead_lettered = 0, retries = 0;  // of both kinds
  std::uint64_t in_drain = 0;                                                 // deliveries held now
  bool database_in_trouble = false;
  std::string last_error;
  std::int64_t last_error_ms = 0;                  // wall clock
  std::int64_t last_stored_ms = 0;                 // wall clock
  std::int64_t last_lag_ms = 0;                    // from its arrival until it was stored
  std::optional<std::int64_t> trouble_since_ms;    // wall clock
  std::optional<std::int64_t> storing_since_ms;    // wall clock: of the round under way
  std::optional<std::int64_t> oldest_unstored_ms;  // arrival of the oldest catalog in the drain
  std::vector<std::string> contested_queues;       // somebody else takes from them: P6 is void
};

// What happened, for the log; the server turns these into lines.
class DrainObserver {
 public:
  virtual ~DrainObserver() = default;
  virtual void on_warning(const std::string& node, const std::string& warning) = 0;
  virtual void on_dead_letter(const std::string& node, queue::MessageId message,
                              const std::string& reason) = 0;
  // Once when trouble begins, and again when its reason changes.
  virtual void on_trouble(const std::string& reason, std::chrono::milliseconds retry_in) = 0;
  virtual void on_recovery() = 0;
  virtual void on_competition(const std::string& queue) = 0;  // P6 is void while it lasts
};

// Takes deliveries, hands them over in rounds, one at a time, and settles them by the results.
// Loop thread only.
//
//   fresh ──start──▶ draining ──an item must be retried──▶ backing off ◀───────────┐
//                      ▲                                       │ retry time is over │
//                      │                                       ▼                    │ retry time
//                      │                               asking the database ──fails──┤ doubled
//                      │                                       │ it answers         │
//                      │                                       ▼                    │
//                      └──something stored──────────── probing (credit 1) ──trouble─┘
//   backing off and asking, by a round without items: no credit, nothing held
//   any ──stop──▶ stopped (settles the round under way, takes nothing)
class Drain final : private Taker {
 public:
  // References outlive the drain. `wake` is called at most once between two on_wake, in the middle
  // of the source's work: it arranges for an on_wake soon and calls nothing of the drain or the
  // source.
  Drain(Source& source, Workshop& workshop, DrainObserver& observer, const DrainOptions& options,
        std::function<void()> wake, Suspects suspects = {});
  // With a RouterSource of its own.
  Drain(routing::Router& router, Workshop& workshop, DrainObserver& observer,
        const DrainOptions& options, std::function<void()> wake, Suspects suspects = {});
  ~Drain() override;
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  // Subscribes. Nothing is taken before.
  void start(TimePoint now, std::int64_t wall_ms);
  // Takes nothing more; what waits goes back; the round under way is waited for by the owner.
  void stop();
  [[nodiscard]] bool idle() const { return !round_.has_value(); }  // no round under way

  // Hands waiting deliveries over; call it once a loop turn after wake() was asked for.
  void on_wake(TimePoint now, std::int64_t wall_ms);
  void on_round_done(RoundResult result, TimePoint now, std::int64_t wall_ms);
  void on_time(TimePoint now);
  [[nodiscard]] std::optional<TimePoint> next_event() const;
  [[nodiscard]] DrainFigures figures() const;

 private:
  enum class Phase : std::uint8_t { kFresh, kDraining, kBackingOff, kProbing, kStopped };

  struct Feed {  // one queue that is drained
    std::string queue;
    MessageKind kind = MessageKind::kCatalog;
    routing::Credit credit;
    bool subscribed = false;
    bool contested = false;
  };
  struct Held {  // one delivery
    MessageKind kind = MessageKind::kCatalog;
    queue::MessagePtr message;
  };

  Drain(std::unique_ptr<Source> owned, Workshop& workshop, DrainObserver& observer,
        const DrainOptions& options, std::function<void()> wake, Suspects suspects);
  void add_feeds();

  // Taker
  void take(const Arriving& arriving) override;
  void gone(std::uint64_t item) override;

  void subscribe(TimePoint now, std::int64_t wall_ms);
  void set_credit(Phase phase);
  void hand_over_waiting(TimePoint now, std::int64_t wall_ms);
  [[nodiscard]] std::size_t next_round_size() const;
  [[nodiscard]] std::uint64_t key_of(std::uint64_t item) const;
  [[nodiscard]] bool is_suspect(std::uint64_t item) const;
  void give_up_crashed(TimePoint now, std::int64_t wall_ms);

  void ask_database();
  void on_answer(const RoundResult& answer, TimePoint now, std::int64_t wall_ms);
  void settle(const ItemResult& result, std::int64_t wall_ms);
  void dead_letter(std::uint64_t item, const ItemResult& result, std::int64_t wall_ms);
  void return_unstored_letters(TimePoint now, std::int64_t wall_ms);
  void count(const ItemResult& result, MessageKind kind, std::int64_t wall_ms);
  void give_back(std::uint64_t item);
  void give_back_waiting();
  void back_off(const std::string& reason, TimePoint now, std::int64_t wall_ms);
  void recover();
  void look_for_competition(TimePoint now);

  // Constant after construction.
  const std::unique_ptr<Source> owned_;  // null: somebody else's
  Source& source_;
  Workshop& workshop_;
  DrainObserver& observer_;
  const DrainOptions options_;
  const std::function<void()> wake_;

  Phase phase_ = Phase::kFresh;
  std::vector<Feed> feeds_;  // a delivery's tag is the index
  Suspects suspects_;
  std::vector<std::uint64_t> cleared_;  // for the ledger, with the next round

  std::map<std::uint64_t, Held> held_;  // by item number
  std::vector<std::uint64_t> waiting_;  // not handed over
  std::vector<std::uint64_t> unstored_letters_;
  std::optional<std::uint64_t> round_;  // number of the round under way
  std::uint64_t last_round_ = 0;
  bool wake_asked_ = false;

  std::chrono::milliseconds retry_in_{0};  // 0: no trouble
  std::optional<TimePoint> retry_at_;
  std::optional<TimePoint> competition_at_;
  std::string trouble_;  // the reason that was told last
  DrainFigures figures_;
};

}  // namespace stompbox::drain

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/drain/options.h"
#include "broker/routing/router.h"
#include "storage/catalog/catalog_store.h"

// The stage that stores what waits in the catalog and facts queues: one more consumer of the router.
namespace stompbox::drain {

using TimePoint = std::chrono::steady_clock::time_point;

enum class MessageKind : std::uint8_t { kCatalog, kFacts };

// What goes to a worker in one piece: messages in queue order. A worker reads them, keeps the newest
// readable catalog of each node, stores, and answers with one result for the whole.
struct RoundItem {
  std::uint64_t item = 0;  // the drain's own number of the delivery
  MessageKind kind = MessageKind::kCatalog;
  queue::MessagePtr message;
};

struct Round {
  std::uint64_t number = 0;
  std::vector<RoundItem> items;
};

enum class ItemFate : std::uint8_t {
  kStored,
  kUnchanged,
  kSuperseded,  // a newer catalog of the node was read whole: acked with it
  kSkipped,     // facts that somebody else writes (rule 19)
  kRetry,       // the database is in trouble: back to the queue
  kDeadLetter,
};

struct ItemResult {
  std::uint64_t item = 0;
  ItemFate fate = ItemFate::kRetry;
  std::string node;    // as far as it could be read
  std::string reason;  // of kRetry and kDeadLetter: one sentence
  std::vector<std::string> warnings;
};

struct RoundResult {
  std::uint64_t number = 0;
  std::vector<ItemResult> items;  // each item of the round once
};

// Reads and stores one round. Worker thread; `store` is the worker's own. Pure but for the store.
[[nodiscard]] RoundResult run_round(const Round& round, catalog::CatalogStore& store,
                                    const catalog::ReadOptions& options,
                                    const std::string& store_identity);

// Where rounds go: worker threads in the broker, a list in the simulation. Each round handed over is
// answered by exactly one Drain::on_round_done.
class Workshop {
 public:
  virtual ~Workshop() = default;
  virtual void hand_over(Round round) = 0;
};

struct DrainFigures {
  bool enabled = false;
  std::uint64_t stored = 0, unchanged = 0, superseded = 0, skipped = 0;
  std::uint64_t facts_stored = 0;
  std::uint64_t dead_lettered = 0, retries = 0;
  std::uint64_t in_drain = 0;  // deliveries held now
  bool database_in_trouble = false;
  std::string last_error;
  std::int64_t last_error_ms = 0;   // wall clock
  std::int64_t last_stored_ms = 0;  // wall clock
  std::optional<std::int64_t> oldest_unstored_ms;  // arrival of the oldest catalog in the drain
};

// What happened, for the log; the server turns these into lines.
class DrainObserver {
 public:
  virtual ~DrainObserver() = default;
  virtual void on_warning(const std::string& node, const std::string& warning) = 0;
  virtual void on_dead_letter(const std::string& node, queue::MessageId message,
                              const std::string& reason) = 0;
  virtual void on_trouble(const std::string& reason, std::chrono::milliseconds retry_in) = 0;
  virtual void on_recovery() = 0;
  virtual void on_competition(const std::string& queue) = 0;  // P6 is void while it lasts
};

class Drain final : public routing::Consumer {
 public:
  // References outlive the drain. `suspects`: messages that were in the drain at unclean exits, with
  // how often (see crash_ledger.h).
  Drain(routing::Router& router, Workshop& workshop, DrainObserver& observer,
        const DrainOptions& options);
  ~Drain() override;

  // Subscribes. Nothing is taken before.
  void start(TimePoint now, std::int64_t wall_ms);
  // Takes nothing more; what waits goes back; the round under way is waited for by the owner.
  void stop();
  [[nodiscard]] bool idle() const;  // no round under way

  // Hands waiting deliveries over; call it once a loop turn after wake() was asked for.
  void on_wake(TimePoint now, std::int64_t wall_ms);
  void on_round_done(RoundResult result, TimePoint now, std::int64_t wall_ms);
  void on_time(TimePoint now, std::int64_t wall_ms);
  [[nodiscard]] std::optional<TimePoint> next_event() const;
  [[nodiscard]] DrainFigures figures() const;

  void deliver(const routing::Delivery& delivery) override;
  void receipt_due(routing::ReceiptNumber receipt) override;
  void refused(routing::ReceiptNumber receipt, const storage::Error& error) override;
  void too_slow(std::uint32_t tag) override;
  void room_again() override;
};

}  // namespace stompbox::drain

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/queue/journal.h"
#include "storage/queue/live_map.h"
#include "storage/queue/queue_store.h"
#include "storage/queue/record_format.h"

namespace stompbox::queue {

// Where a reader may look in one class, as the ledger knew it at one moment.
struct ClassPlan {
  PriorityClass priority;
  LiveMap live;
  std::uint64_t committed_next = 1;  // what is below is in the store, if it was not erased
  DeadRange returned;                // hull of the places with a delivery count
};
struct SeekPlan {
  std::string queue_name;
  std::vector<ClassPlan> classes;  // in order of delivery
};

// A stretch of places of which so much was erased that compacting it pays.
struct DeadSpan {
  QueueId queue;
  PriorityClass priority;
  DeadRange places;
  std::uint64_t erased_count = 0;
  std::uint64_t erased_bytes = 0;
};

struct DeadSpanLeast {
  std::uint64_t erased_count = 100'000;
  std::uint64_t erased_bytes = 256ULL * 1024 * 1024;
};

// What each queue holds, counted from the operations that are really written. The meta records come
// from here. Pure; the store guards it with its lock.
class Ledger {
 public:
  // From the records of the store, before anything else.
  void restore(QueueId queue, std::string name, const QueueMeta& meta);

  // An operation that goes into the batch that is being made. A queue is created before it is used.
  void create(const CreateQueue& op);
  void append(const Append& op);
  void take_out(QueueId queue, Place place, Persistence persistence, std::uint64_t bytes);
  void give_back(const Return& op);

  // Whether a delivery count may be stored for this place; seldom wrong, and then on the safe side.
  [[nodiscard]] bool may_have_count(QueueId queue, Place place) const;
  [[nodiscard]] const std::string& name(QueueId queue) const;

  // The queues that the batch has changed since batch_committed().
  [[nodiscard]] const std::vector<QueueId>& changed() const { return changed_; }
  [[nodiscard]] QueueMeta meta(QueueId queue) const;
  // All operations so far are in the store.
  void batch_committed();

  // In order of queue ids.
  [[nodiscard]] std::vector<QueueState> states() const;
  // Nothing for a queue that does not exist.
  [[nodiscard]] std::optional<SeekPlan> plan(QueueId queue, PriorityClass from) const;
  // A reader has seen that the store has nothing in [from, to).
  void learn_dead(QueueId queue, PriorityClass priority, DeadRange range);

  // Whether take_dead_span() may find something at its default thresholds.
  [[nodiscard]] bool dead_due() const { return dead_due_; }
  [[nodiscard]] std::uint64_t erased_since_tidy() const { return erased_since_tidy_; }
  // One stretch with that much erased since it was last taken.
  [[nodiscard]] std::optional<DeadSpan> take_dead_span(const DeadSpanLeast& least);
  // Queues that had volatile messages when they were restored, with the number of these.
  [[nodiscard]] std::vector<std::pair<QueueId, std::uint64_t>> stale() const { return stale_; }

 private:
  struct ClassLedger {
    LiveMap live;
    std::uint64_t committed_next = 1;
    std::uint64_t durable_count = 0;
    std::uint64_t durable_bytes = 0;
    std::uint64_t volatile_count = 0;
    DeadRange returned;
    DeadRange erased;  // hull of what was erased since the last take_dead_span
    std::uint64_t erased_count = 0;
    std::uint64_t erased_bytes = 0;
  };
  struct QueueLedger {
    std::string name;
    bool changed = false;
    std::array<std::unique_ptr<ClassLedger>, kPriorityClassCount> classes;
  };

  [[nodiscard]] QueueLedger& find(QueueId queue);
  [[nodiscard]] const QueueLedger& find(QueueId queue) const;
  [[nodiscard]] ClassLedger& change(QueueId queue, PriorityClass priority);

  std::unordered_map<std::uint32_t, QueueLedger> queues_;
  std::vector<QueueId> changed_;
  std::vector<std::pair<QueueId, std::uint64_t>> stale_;
  bool dead_due_ = false;
  std::uint64_t erased_since_tidy_ = 0;
};

}  // namespace stompbox::queue

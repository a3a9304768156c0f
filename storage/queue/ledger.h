#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/queue/deferred.h"
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

// A queue that was dropped while something of it was still in the store.
struct DroppedQueue {
  QueueId queue;
  QueueMeta meta;  // as it was in that moment
};

// Compacting reads what was erased once more, at the cost of a drain that goes on (measured: a
// quarter of all its processor time); nobody walks over it meanwhile, so only the room on the disk
// counts.
struct DeadSpanLeast {
  std::uint64_t erased_count = 1'000'000;
  std::uint64_t erased_bytes = 512ULL * 1024 * 1024;

  [[nodiscard]] bool is_met(std::uint64_t count, std::uint64_t bytes) const {
    return count >= erased_count || bytes >= erased_bytes;
  }
};

// What each queue holds, counted from the operations that are really written. The meta records come
// from here. Pure; the store guards it with its lock.
class Ledger {
 public:
  // From the records of the store, before anything else.
  void restore(QueueId queue, QueueName name, const QueueMeta& meta);
  void restore_last(QueueId last);
  // The queue has records of damaged messages.
  void restore_damaged(QueueId queue);

  // An operation that goes into the batch that is being made. A queue is created before it is used
  // and not used after it was dropped; knows() tells.
  void create(const CreateQueue& op);
  // Nothing: the queue has left nothing to take out.
  [[nodiscard]] std::optional<DroppedQueue> drop(QueueId queue);
  void append(const Append& op);
  void take_out(QueueId queue, Place place, Persistence persistence, std::uint64_t bytes);
  void set_aside(QueueId queue, Place place, Persistence persistence, std::uint64_t bytes);
  void give_back(const Return& op);

  enum class Deferral : std::uint8_t {
    kDone,   // the entry stays until its stretch is swept
    kNever,  // it is to be deleted at once
    kAlone,  // when take_deferred() has emptied the class, which one call does
  };
  // Of an erased durable place, after all operations of the batch. Done for what a page has brought
  // only: what was erased at once goes at once, so that LevelDB need not merge it first.
  [[nodiscard]] Deferral defer(QueueId queue, Place place, std::uint64_t bytes);
  // The next places whose entries are deleted by the batch; empty when there are none.
  [[nodiscard]] DeadRange take_deferred(QueueId queue, PriorityClass priority);

  // Whether a delivery count may be stored for this place; seldom wrong, and then on the safe side.
  [[nodiscard]] bool may_have_count(QueueId queue, Place place) const;
  [[nodiscard]] const std::string& name(QueueId queue) const;
  [[nodiscard]] bool knows(QueueId queue) const { return queues_.contains(queue.value); }
  // The highest id that was ever used.
  [[nodiscard]] QueueId last_queue() const { return last_queue_; }

  // The queues that the batch has changed since batch_committed().
  [[nodiscard]] const std::vector<QueueId>& changed() const { return changed_; }
  [[nodiscard]] QueueMeta meta(QueueId queue) const;
  // All operations so far are in the store.
  void batch_committed();

  // In order of queue ids.
  [[nodiscard]] std::vector<QueueState> states() const;
  // Nothing for a queue that does not exist.
  [[nodiscard]] std::optional<SeekPlan> plan(QueueId queue, PriorityClass from) const;
  // A reader has seen that the store has nothing in [from, to). The queue may be gone by now.
  void learn_dead(QueueId queue, PriorityClass priority, DeadRange range);

  // A reader has loaded what stands before `to`. The queue may be gone by now.
  void note_read(QueueId queue, PriorityClass priority, std::uint64_t to);

  // Whether something is deferred before `to`.
  [[nodiscard]] bool has_deferred(QueueId queue, PriorityClass priority, std::uint64_t to) const;
  // The class whose deferred deletes are due: on a full disk any; else of a stretch that can take
  // no more, or, once all together are too much, any until they are half as much.
  [[nodiscard]] std::optional<std::pair<QueueId, PriorityClass>> deferred_due(Room room) const;
  // Nothing of the class that may be live stands before it.
  [[nodiscard]] std::uint64_t first_live(QueueId queue, PriorityClass priority) const;

  // Whether take_dead_span() may find something at its default thresholds.
  [[nodiscard]] bool dead_due() const { return dead_due_; }
  [[nodiscard]] std::uint64_t erased_since_tidy() const { return erased_since_tidy_; }
  // One stretch with that much erased since it was last taken.
  [[nodiscard]] std::optional<DeadSpan> take_dead_span(const DeadSpanLeast& least);
  // What was taken out of a dropped queue, or had been erased of it before.
  void add_dead_span(const DeadSpan& span);
  // Dropped queues of which the batch is in the store, once each.
  [[nodiscard]] std::vector<DroppedQueue> take_dropped() { return std::exchange(dropped_, {}); }
  [[nodiscard]] bool has_dropped() const { return !dropped_.empty(); }
  // So many queues were dropped that compacting the ranges of their names pays.
  [[nodiscard]] bool names_due() const { return drops_ >= kDropsMax; }
  void names_compacted() { drops_ = 0; }
  // Queues that had volatile messages when they were restored, with the number of these.
  [[nodiscard]] std::vector<std::pair<QueueId, std::uint64_t>> stale() const { return stale_; }

 private:
  using ClassKey = std::pair<QueueId, PriorityClass>;

  static constexpr std::uint64_t kDropsMax = 10'000;
  // Of all queues: a broker with many of them keeps no more on the disk than with one.
  static constexpr std::uint64_t kDeferredBytesMax = DeadSpanLeast{}.erased_bytes;

  struct ClassLedger {
    LiveMap live;
    std::uint64_t committed_next = 1;
    std::uint64_t read_to = 1;  // behind all that a page has brought
    Deferred deferred;
    std::uint64_t durable_count = 0;
    std::uint64_t durable_bytes = 0;
    std::uint64_t volatile_count = 0;
    DeadRange returned;
    DeadRange erased;  // hull of what was erased since the last take_dead_span
    std::uint64_t erased_count = 0;
    std::uint64_t erased_bytes = 0;
  };
  struct QueueLedger {
    QueueName name;
    bool changed = false;
    bool has_damaged = false;
    std::array<std::unique_ptr<ClassLedger>, kPriorityClassCount> classes;
  };

  [[nodiscard]] QueueLedger& find(QueueId queue);
  [[nodiscard]] const QueueLedger& find(QueueId queue) const;
  [[nodiscard]] ClassLedger& change(QueueId queue, PriorityClass priority);
  void note_deferred(std::uint64_t bytes);
  void forget_deferred(ClassKey key);

  [[nodiscard]] std::optional<DeadSpan> take_loose_span(const DeadSpanLeast& least);

  std::unordered_map<std::uint32_t, QueueLedger> queues_;
  QueueId last_queue_;
  std::vector<QueueId> changed_;
  std::vector<DroppedQueue> dropping_;  // in the batch that is being made
  std::vector<DroppedQueue> dropped_;
  std::vector<DeadSpan> loose_spans_;  // of dropped queues
  std::uint64_t drops_ = 0;            // since names_compacted()
  std::vector<std::pair<QueueId, std::uint64_t>> stale_;
  bool dead_due_ = false;
  std::uint64_t erased_since_tidy_ = 0;
  std::set<ClassKey> deferred_;       // the classes that have some
  std::uint64_t deferred_bytes_ = 0;  // of all of them
  bool deferred_ebbs_ = false;        // they were too much, and are not half as much yet
  std::optional<ClassKey> too_thin_;  // a stretch that can take no more
};

}  // namespace stompbox::queue

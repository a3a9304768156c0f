#pragma once

#include <leveldb/write_batch.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "storage/queue/ledger.h"
#include "storage/queue/leveldb_batch.h"
#include "storage/queue/leveldb_database.h"
#include "storage/queue/leveldb_drop.h"
#include "storage/queue/message_pool.h"
#include "storage/queue/queue_store.h"

namespace stompbox::queue {

// Queues in LevelDB. The committer writes while the reader and the sweeper read: LevelDB allows
// that; what they share beside it is the ledger, and the database itself while it is opened again.
class LeveldbStore final : public QueueStore {
 public:
  [[nodiscard]] static storage::Result<std::unique_ptr<LeveldbStore>> open(
      const StoreOptions& options, LeveldbSeams seams);

  [[nodiscard]] const StoreState& state() const override { return state_; }
  [[nodiscard]] storage::Status write(const StoreBatch& batch, Durability durability) override;
  [[nodiscard]] storage::Status write_again() override;
  [[nodiscard]] Room room() override;
  [[nodiscard]] LoadedPage load(const LoadRequest& request,
                                std::vector<Discard>& discards) override;
  [[nodiscard]] bool tidy_due() const override { return tidy_due_.load(); }
  [[nodiscard]] Tidied tidy(std::vector<Discard>& discards) override;
  void settle() override;

 private:
  // A queue whose volatile messages of earlier epochs are being looked for.
  struct StaleSearch {
    QueueId queue;
    std::uint64_t remaining = 0;  // how many there can be
    std::string after;            // the last index key that was looked at
  };
  // A dead span that is being compacted, slice by slice.
  struct Compaction {
    DeadSpan span;
    std::uint64_t next = 0;
    std::uint64_t slice_places = 0;
  };

  LeveldbStore(const StoreOptions& options, LeveldbSeams seams);
  [[nodiscard]] storage::Status start();
  [[nodiscard]] storage::Status read_store_record();
  [[nodiscard]] storage::Status upgrade();
  [[nodiscard]] storage::Status begin_epoch();
  [[nodiscard]] storage::Status read_queues();
  [[nodiscard]] storage::Status read_queue(QueueId queue, std::string_view name);
  [[nodiscard]] storage::Status read_dropped();
  [[nodiscard]] storage::Status read_damaged();
  [[nodiscard]] storage::Error unreadable(const std::string& what) const;

  [[nodiscard]] storage::Status write_kept(Durability durability);
  void note_tidy_due();
  void note_read(const LoadedPage& page);
  [[nodiscard]] bool search_stale(std::vector<Discard>& discards);
  void seek_live(leveldb::Iterator& index, QueuePlace found);
  [[nodiscard]] bool sweep_dropped(std::vector<Discard>& discards);
  [[nodiscard]] bool compact_names();
  [[nodiscard]] bool sweep_deferred(std::vector<Discard>& discards);
  void take_deferred(QueueId queue, PriorityClass priority, std::vector<Discard>& discards);
  [[nodiscard]] bool compact_span(std::vector<Discard>& discards);
  void compact_slice();

  const StoreOptions options_;
  // Changed by start() only.
  StoreState state_;
  StoreRecord record_;
  std::optional<BatchEncoder> encoder_;

  // Committer.
  leveldb::WriteBatch batch_;          // the last one: kept until it is in; before: the upgrade
  bool batch_sweeps_ = false;          // it takes out what the sweeper has found
  std::optional<storage::Error> end_;  // why nothing is written any more

  const MessagePool::Owner pool_;  // reader

  // Sweeper.
  std::vector<StaleSearch> stale_;
  DropSweep drop_sweep_;
  std::optional<Compaction> compaction_;

  std::atomic<bool> tidy_due_{false};
  std::atomic<bool> full_{false};
  std::atomic<bool> sweeping_{false};  // the sweeper has begun something and not finished it
  // Of dropped queues, or of a span to be compacted, something is left to be found; what the
  // sweeper has found to be deleted is on its way into a batch. The next step waits for that, so
  // that it never piles up.
  std::atomic<bool> drop_left_{false};
  std::atomic<bool> span_left_{false};
  std::atomic<bool> found_{false};

  std::shared_mutex database_mutex_;  // alone: while write_again() closes and opens
  LeveldbDatabase database_;

  std::mutex ledger_mutex_;  // never held over I/O
  Ledger ledger_;
};

}  // namespace stompbox::queue

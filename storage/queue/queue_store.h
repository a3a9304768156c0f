#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/queue/journal.h"
#include "storage/result.h"

// Where queues stand on disk, in the words of the committer, the reader and the sweeper.
namespace stompbox::queue {

// A stored message that is taken out without an acknowledgement.
struct Discard {
  enum class Reason : std::uint8_t {
    kStale,     // volatile and of an earlier epoch: never found after a start
    kDamaged,   // cannot be read: its record moves to where repair finds it
    kDropped,   // of a queue that was dropped: only `record` counts, the key that goes
    kDeferred,  // the next ones of what the class has deferred: only queue and priority count
  };
  QueueId queue;
  Place place;
  Reason reason = Reason::kStale;
  Persistence persistence = Persistence::kVolatile;
  std::uint64_t bytes = 0;  // Message::bytes(), as far as it is known
  std::string record;       // kDamaged: the index record as it was found; kDropped: the key
};

// What is written in one piece: all of it or nothing.
struct StoreBatch {
  std::vector<Op> ops;  // in order
  std::vector<Discard> discards;

  [[nodiscard]] bool empty() const { return ops.empty() && discards.empty(); }
  void clear() {
    ops.clear();
    discards.clear();
  }
};

enum class Durability : std::uint8_t {
  kSynced,   // on stable storage when the call returns
  kWritten,  // in the log file: survives the process, not the machine
};

enum class Room : std::uint8_t { kEnough, kFull };

enum class Tidied : std::uint8_t { kDone, kMoreToDo };

// One committer, one reader and one sweeper use a store at a time; each method names its thread.
class QueueStore {
 public:
  virtual ~QueueStore() = default;

  // As it was when the store was opened. Any thread.
  [[nodiscard]] virtual const StoreState& state() const = 0;

  // Committer. kFull: nothing counts as written; the batch is kept, and nothing else may be written
  // until write_again() has brought it in. After any other error nothing is written any more.
  [[nodiscard]] virtual storage::Status write(const StoreBatch& batch, Durability durability) = 0;
  // Committer, after kFull: brings the kept batch in, synced. kFull again: no room yet.
  [[nodiscard]] virtual storage::Status write_again() = 0;
  // Committer, before a batch that makes the store grow.
  [[nodiscard]] virtual Room room() = 0;

  // Reader. What it finds and nobody shall see goes to `discards`, to be written by the committer.
  [[nodiscard]] virtual LoadedPage load(const LoadRequest& request,
                                        std::vector<Discard>& discards) = 0;

  // Any thread: whether tidy() has something to do.
  [[nodiscard]] virtual bool tidy_due() const = 0;
  // Sweeper: one bounded step of what keeps the store small and quick.
  [[nodiscard]] virtual Tidied tidy(std::vector<Discard>& discards) = 0;

  // Nobody else uses the store any more: prepares a quick next start. Nothing depends on it.
  virtual void settle() = 0;
};

}  // namespace stompbox::queue

#pragma once

#include <leveldb/db.h>
#include <leveldb/iterator.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "storage/queue/key_format.h"
#include "storage/queue/ledger.h"
#include "storage/queue/queue_store.h"

namespace stompbox::queue {

// Finds what dropped queues have left in the store, a bounded number of keys a step. One queue
// after the other: its index entries and their bodies, class by class, delivery counts, damaged
// records; at last the record that the queue was dropped, so that a start after a crash begins
// again. Sweeper thread.
class DropSweep {
 public:
  void add(const DroppedQueue& dropped);
  [[nodiscard]] bool idle() const { return jobs_.empty(); }
  // Keys to be deleted, as discards; the keys of the step before are deleted by now. `spans` gets
  // what is worth compacting once these are deleted. After a read error the queue is left to the
  // next start.
  void step(leveldb::DB& db, std::vector<Discard>& discards, std::vector<DeadSpan>& spans);

 private:
  // Keys of one range from `from` up to `to`.
  struct Stretch {
    KeyRange range;
    std::string from;
    std::string to;
  };
  struct Job {
    QueueId queue;
    std::deque<Stretch> stretches;  // what is still to be looked at
    std::vector<DeadSpan> spans;    // by class, counted on the way
  };

  // False: the step is full.
  [[nodiscard]] bool sweep(leveldb::Iterator& keys, Job& job, std::vector<Discard>& discards);
  static void take(const leveldb::Iterator& keys, KeyRange range, Job& job,
                   std::vector<Discard>& discards);
  static void count(Job& job, Place place, std::uint64_t bytes);

  std::deque<Job> jobs_;
};

}  // namespace stompbox::queue

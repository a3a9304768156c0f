#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/queue/queue_store.h"

namespace stompbox::queue {

// The thread that keeps the store small: compacts what was erased, finds what an earlier epoch
// left. Such work blocks its caller for long, so neither the committer nor the reader may do it.
class Sweeper {
 public:
  using OnDiscards = std::function<void(std::vector<Discard>)>;  // on the sweeper's thread

  // `store` outlives this.
  Sweeper(QueueStore& store, OnDiscards on_discards);
  ~Sweeper();
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;

  // Any thread; cheap. Says that the store has something to tidy.
  void wake();
  // Ends the step in hand and joins; no callback after it.
  void stop();

 private:
  void run();

  QueueStore& store_;
  const OnDiscards on_discards_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool due_ = false;       // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace stompbox::queue

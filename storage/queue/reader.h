#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/queue/queue_store.h"

namespace stompbox::queue {

// The thread that pages messages in, first come first served. The asker keeps the number of
// requests bounded: one outstanding a queue.
class Reader {
 public:
  // Both are called on the reader's thread; `on_discards` before the page that found them.
  struct Callbacks {
    std::function<void(LoadedPage)> on_page;
    std::function<void(std::vector<Discard>)> on_discards;
  };

  // `store` outlives this.
  Reader(QueueStore& store, Callbacks callbacks);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Any thread. Answered by one page, unless the reader is stopped first.
  void request(const LoadRequest& request);
  // Ends the page in hand and joins; no callback after it.
  void stop();

 private:
  void run();

  QueueStore& store_;
  const Callbacks callbacks_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<LoadRequest> requests_;  // guarded by mutex_
  bool stopping_ = false;             // guarded by mutex_

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace stompbox::queue

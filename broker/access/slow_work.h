#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace stompbox::access {

// One thread for what would hold the loop up: password hashes, re-reading files. Jobs run in order
// and post their result to the loop themselves; they hold no reference to what the loop may
// destroy.
class SlowWork {
 public:
  using Job = std::function<void()>;

  explicit SlowWork(std::size_t waiting_max);
  ~SlowWork();  // the job under way is waited for, the others are dropped
  SlowWork(const SlowWork&) = delete;
  SlowWork& operator=(const SlowWork&) = delete;

  enum class Taken { kYes, kFull };
  // Any thread. kFull: as many are waiting as may; the job was not taken.
  [[nodiscard]] Taken submit(Job job);

 private:
  void run();
  // The next job; empty when the end has come.
  Job wait_for_job();

  const std::size_t waiting_max_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;  // guarded by mutex_
  bool ending_ = false;      // guarded by mutex_

  std::thread thread_;  // last: starts when all else is there
};

}  // namespace stompbox::access

#include "broker/access/slow_work.h"

#include <utility>

namespace stompbox::access {

SlowWork::SlowWork(std::size_t waiting_max)
    : waiting_max_(waiting_max), thread_(&SlowWork::run, this) {}

SlowWork::~SlowWork() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    waiting_.clear();
  }
  changed_.notify_one();
  thread_.join();
}

SlowWork::Taken SlowWork::submit(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= waiting_max_) return Taken::kFull;
    waiting_.push_back(std::move(job));
  }
  changed_.notify_one();
  return Taken::kYes;
}

void SlowWork::run() {
  while (const Job job = wait_for_job())
    job();
}

SlowWork::Job SlowWork::wait_for_job() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
  if (ending_) return {};
  Job job = std::move(waiting_.front());
  waiting_.pop_front();
  return job;
}

}  // namespace stompbox::access

#include "storage/queue/sweeper.h"

#include <utility>

namespace stompbox::queue {

Sweeper::Sweeper(QueueStore& store, OnDiscards on_discards)
    : store_(store), on_discards_(std::move(on_discards)), thread_([this] { run(); }) {}

Sweeper::~Sweeper() {
  stop();
}

void Sweeper::wake() {
  {
    const std::lock_guard lock(mutex_);
    due_ = true;
  }
  wake_.notify_one();
}

void Sweeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Sweeper::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || due_; });
    if (stopping_) return;
    due_ = false;
    lock.unlock();
    std::vector<Discard> discards;
    const Tidied tidied = store_.tidy(discards);
    if (!discards.empty()) on_discards_(std::move(discards));
    lock.lock();
    due_ = due_ || tidied == Tidied::kMoreToDo;
  }
}

}  // namespace stompbox::queue

#include "storage/queue/reader.h"

#include <utility>

namespace stompbox::queue {

Reader::Reader(QueueStore& store, Callbacks callbacks)
    : store_(store), callbacks_(std::move(callbacks)), thread_([this] { run(); }) {}

Reader::~Reader() {
  stop();
}

void Reader::request(const LoadRequest& request) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    requests_.push_back(request);
  }
  wake_.notify_one();
}

void Reader::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Reader::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !requests_.empty(); });
    if (stopping_) return;
    const LoadRequest request = requests_.front();
    requests_.pop_front();
    lock.unlock();
    std::vector<Discard> discards;
    LoadedPage page = store_.load(request, discards);
    page.tag = request.tag;
    if (!discards.empty()) callbacks_.on_discards(std::move(discards));
    callbacks_.on_page(std::move(page));
    lock.lock();
  }
}

}  // namespace stompbox::queue

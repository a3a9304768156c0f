#include "storage/queue/message_pool.h"

#include <utility>

namespace stompbox::queue {
namespace {

std::size_t memory_of(const Message& message) {
  return sizeof(Message) + message.destination.capacity() + message.header_block.capacity() +
         message.body.capacity();
}

// Empties it; the memory of its texts stays.
void make_blank(Message& message) {
  Message blank;
  blank.destination = std::move(message.destination);
  blank.header_block = std::move(message.header_block);
  blank.body = std::move(message.body);
  blank.destination.clear();
  blank.header_block.clear();
  blank.body.clear();
  message = std::move(blank);
}

}  // namespace

MessagePool::Owner MessagePool::make(std::size_t kept_bytes_max) {
  return Owner(new MessagePool(kept_bytes_max));
}

std::shared_ptr<Message> MessagePool::take() {
  if (at_hand_.empty()) {
    const std::lock_guard lock(mutex_);
    if (kept_.empty()) {
      out_ += 1;
    } else {
      at_hand_.swap(kept_);
      out_ += at_hand_.size();
      kept_bytes_ = 0;
    }
  }
  std::unique_ptr<Message> taken;
  if (at_hand_.empty()) {
    taken = std::make_unique<Message>();
  } else {
    taken = std::move(at_hand_.back());
    at_hand_.pop_back();
    make_blank(*taken);
  }
  return {taken.release(), GiveBack{this}};
}

void MessagePool::give_back(Message* message) {
  std::unique_ptr<Message> freed(message);
  const std::size_t bytes = memory_of(*message);
  const bool is_large = bytes > kept_bytes_max_ / 16;
  bool is_last = false;
  {
    const std::lock_guard lock(mutex_);
    out_ -= 1;
    is_last = closed_ && out_ == 0;
    if (!closed_ && !is_large && kept_bytes_ + bytes <= kept_bytes_max_) {
      kept_bytes_ += bytes;
      kept_.push_back(std::move(freed));
    }
  }
  if (is_last) delete this;
}

void MessagePool::close() {
  const std::uint64_t at_hand = at_hand_.size();
  at_hand_.clear();
  bool is_last = false;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    kept_.clear();
    out_ -= at_hand;
    is_last = out_ == 0;
  }
  if (is_last) delete this;
}

std::size_t MessagePool::kept_bytes() const {
  const std::lock_guard lock(mutex_);
  return kept_bytes_;
}

}  // namespace stompbox::queue

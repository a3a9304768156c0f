#include "storage/queue/message_pool.h"

#include <string>
#include <utility>

namespace stompbox::queue {
namespace {

// Empties it; the memory of its texts stays.
void make_blank(Message& message) {
  Message blank;
  for (std::string Message::*const text :
       {&Message::destination, &Message::header_block, &Message::body}) {
    (message.*text).clear();
    blank.*text = std::move(message.*text);
  }
  message = std::move(blank);
}

// The slot goes back when nobody counts any more, which is after the message's end.
struct KeepMessage {
  void operator()(Message*) const {}
};

}  // namespace

// Gives a std::shared_ptr the slot's room for its counts.
template <typename T>
class MessagePool::CountMemory {
 public:
  using value_type = T;

  CountMemory(MessagePool* pool, Slot* slot) : pool_(pool), slot_(slot) {}
  template <typename U>
  CountMemory(const CountMemory<U>& other)  // NOLINT: an allocator's, for another type
      : pool_(other.pool_), slot_(other.slot_) {}

  [[nodiscard]] T* allocate(std::size_t) {
    static_assert(sizeof(T) <= Slot::kCountBytes && alignof(T) <= alignof(std::max_align_t));
    return reinterpret_cast<T*>(slot_->counts.data());
  }
  void deallocate(T*, std::size_t) { pool_->give_back(SlotPtr(slot_)); }

  friend bool operator==(const CountMemory&, const CountMemory&) = default;

 private:
  template <typename U>
  friend class CountMemory;

  MessagePool* pool_;
  Slot* slot_;
};

MessagePool::Owner MessagePool::make(std::size_t kept_bytes_max) {
  return Owner(new MessagePool(kept_bytes_max));
}

std::size_t MessagePool::memory_of(const Slot& slot) {
  const Message& message = slot.message;
  return sizeof(Slot) + message.destination.capacity() + message.header_block.capacity() +
         message.body.capacity();
}

std::shared_ptr<Message> MessagePool::take() {
  Slot* const slot = take_slot().release();
  return {&slot->message, KeepMessage(), CountMemory<Message>(this, slot)};
}

MessagePool::SlotPtr MessagePool::take_slot() {
  if (at_hand_.empty()) {
    const std::lock_guard lock(mutex_);
    if (kept_.empty()) {
      out_ += 1;
      return std::make_unique<Slot>();
    }
    at_hand_.swap(kept_);
    out_ += at_hand_.size();
    kept_bytes_ = 0;
  }
  SlotPtr taken = std::move(at_hand_.back());
  at_hand_.pop_back();
  make_blank(taken->message);
  return taken;
}

void MessagePool::give_back(SlotPtr slot) {
  const std::size_t bytes = memory_of(*slot);
  const bool is_large = bytes > kept_bytes_max_ / 16;
  bool is_last = false;
  {
    const std::lock_guard lock(mutex_);
    out_ -= 1;
    is_last = closed_ && out_ == 0;
    if (!closed_ && !is_large && kept_bytes_ + bytes <= kept_bytes_max_) {
      kept_bytes_ += bytes;
      kept_.push_back(std::move(slot));
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

void fit_memory(std::string& text, std::size_t bytes) {
  constexpr std::size_t kSpareMax = 256;
  if (text.capacity() > 2 * bytes + kSpareMax) std::string().swap(text);
}

}  // namespace stompbox::queue

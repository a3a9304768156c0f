#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/queue/message.h"

namespace stompbox::queue {

// Messages whose memory is used again, with that of the count of who holds them: pages are made on
// the reader's thread and let go on the loop's, what is published is made on the loop's and let go
// on the committer's, and allocating on one what is freed on the other cost a quarter of their
// time. Messages may outlive the pool. What waits to be used again is bounded.
class MessagePool {
 public:
  // Lets go of the pool; it ends with the last message that is still out.
  struct Close {
    void operator()(MessagePool* pool) const { pool->close(); }
  };
  using Owner = std::unique_ptr<MessagePool, Close>;

  // What waits is twice kept_bytes_max at most: as much again may be at the taker's hand. Of
  // messages larger than kept_bytes_max / 16 nothing is kept.
  [[nodiscard]] static Owner make(std::size_t kept_bytes_max);
  MessagePool(const MessagePool&) = delete;
  MessagePool& operator=(const MessagePool&) = delete;

  // As good as new, but for the memory of its texts, which is that of another message: swap them
  // for yours, or fit_memory() first. One thread calls this; messages may be let go on any.
  [[nodiscard]] std::shared_ptr<Message> take();

  [[nodiscard]] std::size_t kept_bytes() const;  // any thread

 private:
  // A message, and room for the block that std::shared_ptr keeps its counts in.
  struct Slot {
    static constexpr std::size_t kCountBytes = 64;
    Message message;
    alignas(std::max_align_t) std::array<std::byte, kCountBytes> counts;
  };
  using SlotPtr = std::unique_ptr<Slot>;
  template <typename T>
  class CountMemory;

  explicit MessagePool(std::size_t kept_bytes_max) : kept_bytes_max_(kept_bytes_max) {}
  [[nodiscard]] static std::size_t memory_of(const Slot& slot);
  [[nodiscard]] SlotPtr take_slot();
  void close();
  void give_back(SlotPtr slot);

  const std::size_t kept_bytes_max_;

  // The taker's thread only.
  std::vector<SlotPtr> at_hand_;  // what it took from kept_ at once

  mutable std::mutex mutex_;  // guards what follows
  std::vector<SlotPtr> kept_;
  std::size_t kept_bytes_ = 0;
  std::uint64_t out_ = 0;  // made and neither kept nor freed; at_hand_ included
  bool closed_ = false;
};

// Before `text` takes so many bytes: frees its memory if that is much more, for nobody counts what
// is not used.
void fit_memory(std::string& text, std::size_t bytes);

}  // namespace stompbox::queue

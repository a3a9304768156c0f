#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "broker/session/shared.h"
#include "storage/queue/message.h"

namespace stompbox::session {

// One peer's bytes on the way out, in order. Small pieces are joined; a large body is kept by
// reference and never copied. The position is the number of bytes ever appended.
class Outbox {
 public:
  // Bodies from here on are referenced rather than copied.
  static constexpr std::size_t kReferenceFrom = 4096;

  // `shared` outlives the outbox; null: it keeps no memory for later.
  explicit Outbox(Shared* shared = nullptr) : shared_(shared) {}

  // The string that small pieces may be appended to in place; call appended() afterwards.
  [[nodiscard]] std::string& tail();
  void appended();
  void append(std::string_view bytes);
  void append_body(const queue::MessagePtr& message);

  [[nodiscard]] std::uint64_t position() const { return position_; }  // end of what was appended
  [[nodiscard]] std::uint64_t sent() const { return sent_; }          // what the kernel has taken
  [[nodiscard]] std::size_t waiting_bytes() const {
    return static_cast<std::size_t>(position_ - sent_);
  }

  struct Piece {
    const char* begin;
    std::size_t size;
  };
  // Up to `count_max` pieces from the front, for one gathered write. They live until consume(),
  // clear() or the destructor, whatever is appended meanwhile.
  std::size_t gather(Piece* pieces, std::size_t count_max) const;
  // The kernel has taken that many.
  void consume(std::size_t bytes);
  // Forgets what has not been sent: the peer is gone. It does not count as sent.
  void clear();

 private:
  // A joined chunk is closed at this size, so that memory is given back while the peer reads.
  static constexpr std::size_t kChunkBytes = 64 * 1024;

  [[nodiscard]] bool tail_is_open() const;
  void pop_front();

  Shared* const shared_;
  std::list<OutboxChunk> chunks_;  // pieces stay where they are, and an idle peer costs nothing
  std::size_t front_taken_ = 0;    // of the first chunk
  std::size_t tail_counted_ = 0;   // of the last chunk: what position_ contains
  mutable bool tail_locked_ =
      false;  // the last chunk has been gathered: appending starts a new one
  std::uint64_t position_ = 0;
  std::uint64_t sent_ = 0;
};

}  // namespace stompbox::session

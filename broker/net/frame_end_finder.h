#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stompbox::net {

// Finds where frames end in the bytes that a session writes, so that each can be a message of its
// own. Understands what our encoder makes, and is not for what peers send.
class FrameEndFinder {
 public:
  // The bytes of `bytes` up to the end of the frame that has begun, or of a run of heart-beats;
  // nothing: it goes on in the next piece. The next call begins with a new frame then.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view bytes);
  // Forgets what has begun.
  void begin_anew();

 private:
  enum class State : std::uint8_t { kBetween, kBeats, kHead, kSizedBody, kNulBody };

  [[nodiscard]] std::size_t take_head_line(std::string_view bytes);
  void end_line();

  State state_ = State::kBetween;
  std::string line_;  // of the head, as far as it came; its front only
  std::optional<std::uint64_t> body_size_;
  std::uint64_t body_left_ = 0;
};

}  // namespace stompbox::net

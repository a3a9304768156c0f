#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "broker/net/utf8_check.h"

namespace stompbox::net {

// The frames of RFC 6455, section 5.
enum class Opcode : std::uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xa,
};

enum class CloseCode : std::uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kNoStatus = 1005,  // never sent
  kNotUtf8 = 1007,
  kPolicy = 1008,
};

enum class Fragment : std::uint8_t { kLast, kMoreFollow };

// The head of a frame of ours, which is not masked.
void append_frame_head(std::string& out, Opcode opcode, Fragment fragment, std::size_t size);
void append_close(std::string& out, CloseCode code, std::string_view reason);

// Turns a client's frames into the bytes of its messages, as they come: a message is never kept,
// so its size has no bound but the session's own. Single-threaded, no I/O.
class WebSocketReader {
 public:
  enum class End { kNone, kClosed, kFault };
  struct Taken {
    std::size_t bytes = 0;  // payload at the front of what was given
    End end = End::kNone;
  };
  // Unmasks in place; pongs are appended to `replies`. After an end everything is thrown away.
  [[nodiscard]] Taken take(std::span<char> came, std::string& replies);

  // Of the last message that came.
  [[nodiscard]] Opcode kind() const { return kind_; }
  // After kClosed: the peer's code, or kNoStatus. After kFault: what we have to say.
  [[nodiscard]] CloseCode close_code() const { return close_code_; }
  [[nodiscard]] std::string_view fault() const { return fault_; }

 private:
  [[nodiscard]] std::size_t head_size() const;
  [[nodiscard]] std::size_t take_head(std::string_view came);
  void begin_frame();
  void check_head(bool is_final, std::uint8_t opcode);
  void take_payload(std::span<char> bytes, char*& place);
  void end_frame(std::string& replies);
  void on_close();
  void fail(CloseCode code, const char* why);
  [[nodiscard]] bool is_control() const { return (static_cast<unsigned>(opcode_) & 8U) != 0; }

  static constexpr std::size_t kHeadBytesMax = 14;
  std::array<std::uint8_t, kHeadBytesMax> head_{};
  std::uint8_t head_have_ = 0;
  bool in_payload_ = false;
  bool is_final_ = false;
  bool in_message_ = false;  // a message has begun and its last fragment has not come
  Opcode opcode_ = Opcode::kText;
  Opcode kind_ = Opcode::kText;
  End end_ = End::kNone;
  CloseCode close_code_ = CloseCode::kNormal;
  std::array<char, 4> mask_{};
  std::uint64_t payload_left_ = 0;
  std::size_t mask_at_ = 0;
  Utf8Check utf8_;
  std::string control_;  // payload of a control frame, 125 bytes at most
  const char* fault_ = "";
};

}  // namespace stompbox::net

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/net/frame_end_finder.h"
#include "broker/net/web_socket_frames.h"
#include "broker/session/outbox.h"

namespace stompbox::net {

// The server's side of one WebSocket, bytes in and bytes out.
//
//   handshake ──101──▶ open ──close frame of the peer / fault──▶ over
//       └──────────────── refusal ─────────────────────────────────▲
//
// Incoming messages are one stream: a STOMP frame may come in several, and several in one.
// Outgoing, each STOMP frame and each heart-beat is a message, of the kind that the client used
// last; for a client that uses text, a frame that is not UTF-8 goes out as binary all the same.
class WebSocket {
 public:
  // `origins` outlives this.
  explicit WebSocket(const std::vector<std::string>& origins) : origins_(origins) {}

  using End = WebSocketReader::End;
  struct Taken {
    std::span<char> bytes;  // for the session, within what was given
    End end = End::kNone;
  };
  [[nodiscard]] Taken take(std::span<char> came, std::string& replies);
  // Appends what waits in `pieces`, up to `bytes_max` of it, and returns how much that is. It ends
  // with a whole WebSocket frame, so that control frames may follow.
  std::size_t seal(std::span<const session::Outbox::Piece> pieces, std::size_t bytes_max,
                   std::string& out);
  // Appends the close frame: the peer's own code if it said one. Once.
  void say_goodbye(CloseCode code, std::string& out);

  [[nodiscard]] bool has_begun() const { return state_ != State::kHandshake || !head_.empty(); }
  [[nodiscard]] bool is_open() const { return state_ == State::kOpen; }
  // Why it ended with a fault.
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  enum class State : std::uint8_t { kHandshake, kOpen, kOver };

  [[nodiscard]] Taken take_head(std::span<char> came, std::string& replies);
  [[nodiscard]] Taken take_frames(std::span<char> came, std::string& replies);
  void begin_message(std::span<const session::Outbox::Piece> pieces, std::size_t skipped);

  const std::vector<std::string>& origins_;
  State state_ = State::kHandshake;
  bool said_goodbye_ = false;
  std::string head_;  // of the handshake, until it is whole
  std::string fault_;
  WebSocketReader reader_;
  // Of the outgoing message that has begun.
  FrameEndFinder finder_;
  std::uint64_t message_left_ = 0;
  Opcode next_opcode_ = Opcode::kText;  // of its next fragment
};

}  // namespace stompbox::net

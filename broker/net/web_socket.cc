#include "broker/net/web_socket.h"

#include <algorithm>
#include <optional>

#include "broker/net/http_head.h"
#include "broker/net/web_socket_handshake.h"

namespace stompbox::net {
namespace {

using Piece = session::Outbox::Piece;

// Walks over pieces as over one text.
class PieceWalk {
 public:
  PieceWalk(std::span<const Piece> pieces, std::size_t skipped) : pieces_(pieces), at_(skipped) {
    settle();
  }
  // What is left of the piece at hand; empty at the end.
  [[nodiscard]] std::string_view rest() const {
    if (pieces_.empty()) return {};
    return std::string_view(pieces_.front().begin, pieces_.front().size).substr(at_);
  }
  void advance(std::size_t bytes) {
    at_ += bytes;
    settle();
  }

 private:
  void settle() {
    while (!pieces_.empty() && at_ >= pieces_.front().size) {
      at_ -= pieces_.front().size;
      pieces_ = pieces_.subspan(1);
    }
  }
  std::span<const Piece> pieces_;
  std::size_t at_;
};

// Whether waiting for the rest is of any use.
bool may_become_head(std::string_view head) {
  if (head.size() > kHttpHeadBytesMax || head.starts_with('\n')) return false;
  const std::size_t line = head.find('\n');
  return line == std::string_view::npos ||
         head.substr(0, line).find(" HTTP/") != std::string_view::npos;
}

std::size_t total_size(std::span<const Piece> pieces) {
  std::size_t size = 0;
  for (const Piece& piece : pieces)
    size += piece.size;
  return size;
}

}  // namespace

WebSocket::Taken WebSocket::take(std::span<char> came, std::string& replies) {
  switch (state_) {
    case State::kHandshake: return take_head(came, replies);
    case State::kOpen: return take_frames(came, replies);
    case State::kOver: break;
  }
  return {};
}

WebSocket::Taken WebSocket::take_head(std::span<char> came, std::string& replies) {
  const std::size_t had = head_.size();
  head_.append(came.data(), came.size());
  const auto end = find_head_end(head_);
  if (!end && may_become_head(head_)) return {};
  HandshakeAnswer answer;
  if (end.value_or(head_.size()) > kHttpHeadBytesMax) {
    answer.refusal = "431 Request Header Fields Too Large";
    answer.response = http_refusal(answer.refusal, "", "A handshake is smaller than 8 KiB.");
  } else {
    answer = answer_handshake(std::string_view(head_).substr(0, end.value_or(0)), origins_);
  }
  replies += answer.response;
  head_ = std::string();
  if (!answer.refusal.empty()) {
    state_ = State::kOver;
    fault_ = answer.refusal;
    return {{}, End::kFault};
  }
  state_ = State::kOpen;
  return take_frames(came.subspan(*end - had), replies);
}

WebSocket::Taken WebSocket::take_frames(std::span<char> came, std::string& replies) {
  const auto [bytes, end] = reader_.take(came, replies);
  if (end == End::kFault) {
    fault_ = reader_.fault();
    say_goodbye(reader_.close_code(), replies);
    state_ = State::kOver;
  }
  return {came.first(bytes), end};
}

std::size_t WebSocket::seal(std::span<const Piece> pieces, std::size_t bytes_max,
                            std::string& out) {
  const std::size_t available = std::min(bytes_max, total_size(pieces));
  std::size_t taken = 0;
  PieceWalk walk(pieces, 0);
  while (taken < available) {
    if (message_left_ == 0) begin_message(pieces, taken);
    auto left = static_cast<std::size_t>(std::min<std::uint64_t>(message_left_, available - taken));
    message_left_ -= left;
    taken += left;
    append_frame_head(out, next_opcode_,
                      message_left_ == 0 ? Fragment::kLast : Fragment::kMoreFollow, left);
    next_opcode_ = Opcode::kContinuation;
    while (left > 0) {
      const std::string_view part = walk.rest().substr(0, left);
      out.append(part);
      walk.advance(part.size());
      left -= part.size();
    }
  }
  return taken;
}

// A frame of ours is appended to the outbox whole, so its end is there. Should it not be: what is
// there goes out as a binary message, which clients that read a stream understand.
void WebSocket::begin_message(std::span<const Piece> pieces, std::size_t skipped) {
  finder_.begin_anew();
  const bool text = reader_.kind() == Opcode::kText;
  Utf8Check utf8;
  bool is_utf8 = true;
  bool ended = false;
  std::uint64_t size = 0;
  PieceWalk walk(pieces, skipped);
  while (!ended && !walk.rest().empty()) {
    const std::string_view rest = walk.rest();
    const auto end = finder_.find(rest);
    const std::string_view part = rest.substr(0, end.value_or(rest.size()));
    is_utf8 = is_utf8 && text && utf8.take(part);
    size += part.size();
    walk.advance(part.size());
    ended = end.has_value();
  }
  const bool as_text = text && ended && is_utf8 && utf8.is_whole();
  message_left_ = size;
  next_opcode_ = as_text ? Opcode::kText : Opcode::kBinary;
}

void WebSocket::say_goodbye(CloseCode code, std::string& out) {
  if (state_ != State::kOpen || said_goodbye_) return;
  said_goodbye_ = true;
  const bool peer_was_first = reader_.close_code() != CloseCode::kNormal && fault_.empty();
  append_close(out, peer_was_first ? reader_.close_code() : code, fault_);
}

}  // namespace stompbox::net

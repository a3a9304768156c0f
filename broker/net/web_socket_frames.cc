#include "broker/net/web_socket_frames.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace stompbox::net {
namespace {

constexpr std::uint8_t kFinalBit = 0x80;
constexpr std::uint8_t kReservedBits = 0x70;
constexpr std::uint8_t kOpcodeBits = 0x0f;
constexpr std::uint8_t kMaskBit = 0x80;
constexpr std::uint8_t kSizeBits = 0x7f;
constexpr std::uint8_t kSize16 = 126;
constexpr std::uint8_t kSize64 = 127;
constexpr std::size_t kControlBytesMax = 125;

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i)
    out.push_back(static_cast<char>(value >> (8 * i)));
}

// The mask stands at `at` of its four bytes; eight bytes a step.
void unmask(char* bytes, std::size_t size, const std::array<char, 4>& mask, std::size_t at) {
  std::array<char, 8> turned{};
  for (std::size_t i = 0; i < turned.size(); ++i)
    turned[i] = mask[(at + i) % mask.size()];
  std::uint64_t key = 0;
  std::memcpy(&key, turned.data(), sizeof key);
  std::size_t done = 0;
  for (; done + sizeof key <= size; done += sizeof key) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + done, sizeof word);
    word ^= key;
    std::memcpy(bytes + done, &word, sizeof word);
  }
  for (; done < size; ++done)
    bytes[done] = static_cast<char>(bytes[done] ^ turned[done % turned.size()]);
}

bool is_known(std::uint8_t opcode) {
  return opcode <= 0x2 || (opcode >= 0x8 && opcode <= 0xa);
}

// Those that may be sent (section 7.4).
bool is_close_code(unsigned code) {
  return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace

void append_frame_head(std::string& out, Opcode opcode, Fragment fragment, std::size_t size) {
  const std::uint8_t final_bit = fragment == Fragment::kLast ? kFinalBit : 0;
  out.push_back(static_cast<char>(final_bit | static_cast<std::uint8_t>(opcode)));
  if (size < kSize16) {
    out.push_back(static_cast<char>(size));
  } else if (size <= UINT16_MAX) {
    out.push_back(static_cast<char>(kSize16));
    append_big_endian(out, size, 2);
  } else {
    out.push_back(static_cast<char>(kSize64));
    append_big_endian(out, size, 8);
  }
}

void append_close(std::string& out, CloseCode code, std::string_view reason) {
  if (code == CloseCode::kNoStatus)
    return append_frame_head(out, Opcode::kClose, Fragment::kLast, 0);
  reason = reason.substr(0, kControlBytesMax - 2);
  append_frame_head(out, Opcode::kClose, Fragment::kLast, reason.size() + 2);
  append_big_endian(out, static_cast<std::uint16_t>(code), 2);
  out.append(reason);
}

WebSocketReader::Taken WebSocketReader::take(std::span<char> came, std::string& replies) {
  char* const begin = came.data();
  char* place = begin;
  while (!came.empty() && end_ == End::kNone) {
    if (!in_payload_) {
      came = came.subspan(take_head({came.data(), came.size()}));
      if (!in_payload_) continue;
    }
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, came.size()));
    take_payload(came.first(size), place);
    came = came.subspan(size);
    if (end_ == End::kNone && payload_left_ == 0) end_frame(replies);
  }
  return {static_cast<std::size_t>(place - begin), end_};
}

// As far as it is known by the bytes that are there.
std::size_t WebSocketReader::head_size() const {
  constexpr std::size_t kShortest = 2;
  if (head_have_ < kShortest) return kShortest;
  const std::uint8_t size = head_[1] & kSizeBits;
  const std::size_t longer = size == kSize16 ? 2 : size == kSize64 ? 8 : 0;
  return kShortest + longer + mask_.size();
}

// Returns how many bytes of `came` belong to the head.
std::size_t WebSocketReader::take_head(std::string_view came) {
  std::size_t taken = 0;
  while (taken < came.size() && head_have_ < head_size()) {
    head_[head_have_++] = static_cast<std::uint8_t>(came[taken++]);
    // Without a mask there would be no mask to wait for.
    if (head_have_ == 2 && (head_[1] & kMaskBit) == 0) {
      fail(CloseCode::kProtocolError, "frames of clients have to be masked");
      return taken;
    }
  }
  if (head_have_ == head_size()) begin_frame();
  return taken;
}

void WebSocketReader::begin_frame() {
  const std::size_t mask_begin = head_size() - mask_.size();
  payload_left_ = head_[1] & kSizeBits;
  if (mask_begin > 2) {
    payload_left_ = 0;
    for (std::size_t i = 2; i < mask_begin; ++i)
      payload_left_ = payload_left_ << 8 | head_[i];
  }
  for (std::size_t i = 0; i < mask_.size(); ++i)
    mask_[i] = static_cast<char>(head_[mask_begin + i]);
  mask_at_ = 0;
  head_have_ = 0;
  check_head((head_[0] & kFinalBit) != 0, head_[0] & kOpcodeBits);
  in_payload_ = end_ == End::kNone;
}

void WebSocketReader::check_head(bool is_final, std::uint8_t opcode) {
  const auto refuse = [this](const char* why) { fail(CloseCode::kProtocolError, why); };
  if ((head_[0] & kReservedBits) != 0) return refuse("no extension was agreed to");
  if (!is_known(opcode)) return refuse("there is no such opcode");
  if (payload_left_ > INT64_MAX) return refuse("a frame is not as large as that");
  opcode_ = static_cast<Opcode>(opcode);
  is_final_ = is_final;
  if (is_control()) {
    if (payload_left_ > kControlBytesMax || !is_final) refuse("a control frame is short and whole");
    return;
  }
  if ((opcode_ == Opcode::kContinuation) != in_message_) {
    return refuse(in_message_ ? "a message began within another" : "no message has begun");
  }
  in_message_ = !is_final;
  if (opcode_ == Opcode::kContinuation) return;
  kind_ = opcode_;
  utf8_.begin_anew();
}

void WebSocketReader::take_payload(std::span<char> bytes, char*& place) {
  payload_left_ -= bytes.size();
  unmask(bytes.data(), bytes.size(), mask_, mask_at_);
  mask_at_ = (mask_at_ + bytes.size()) % mask_.size();
  if (is_control()) {
    control_.append(bytes.data(), bytes.size());
    return;
  }
  if (kind_ == Opcode::kText && !utf8_.take({bytes.data(), bytes.size()})) {
    return fail(CloseCode::kNotUtf8, "a text message has to be UTF-8; send others as binary");
  }
  std::memmove(place, bytes.data(), bytes.size());
  place += bytes.size();
}

void WebSocketReader::end_frame(std::string& replies) {
  in_payload_ = false;
  switch (opcode_) {
    case Opcode::kPing:
      append_frame_head(replies, Opcode::kPong, Fragment::kLast, control_.size());
      replies += control_;
      break;
    case Opcode::kClose: on_close(); break;
    case Opcode::kPong: break;
    default:
      if (is_final_ && kind_ == Opcode::kText && !utf8_.is_whole()) {
        fail(CloseCode::kNotUtf8, "a text message ends within a letter");
      }
      return;
  }
  control_.clear();
}

void WebSocketReader::on_close() {
  if (control_.empty()) {
    close_code_ = CloseCode::kNoStatus;
    end_ = End::kClosed;
    return;
  }
  const auto byte = [this](std::size_t i) { return static_cast<unsigned char>(control_[i]); };
  const unsigned code = control_.size() < 2 ? 0U : byte(0) * 256U + byte(1);
  if (!is_close_code(code)) return fail(CloseCode::kProtocolError, "there is no such close code");
  if (!is_utf8(std::string_view(control_).substr(2))) {
    return fail(CloseCode::kNotUtf8, "the reason of a close has to be UTF-8");
  }
  close_code_ = static_cast<CloseCode>(code);
  end_ = End::kClosed;
}

void WebSocketReader::fail(CloseCode code, const char* why) {
  end_ = End::kFault;
  in_payload_ = false;
  close_code_ = code;
  fault_ = why;
}

}  // namespace stompbox::net

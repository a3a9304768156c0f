#include "protocol/decoder.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <limits>
#include <system_error>
#include <utility>

#include "protocol/blanks.h"
#include "protocol/command_fault.h"
#include "protocol/escapes.h"

namespace stompbox::protocol {
namespace {

constexpr char kTlsHandshake = '\x16';
constexpr std::string_view kContentLength = "content-length";

// An announced body up to this size gets its memory at once, a larger one as it arrives.
constexpr std::size_t kReserveBytesMax = 1024 * 1024;

// What the headers of common frames need, so that they cost two allocations.
constexpr std::size_t kUsualHeaderCount = 8;
constexpr std::size_t kUsualHeaderBytes = 240;

// Header positions are 32 bits wide, and sums of limits must not overflow.
DecodeLimits bounded(DecodeLimits limits) {
  constexpr std::size_t kMax = std::size_t{1} << 30;
  for (std::size_t* const limit :
       {&limits.command_bytes_max, &limits.header_line_bytes_max, &limits.headers_bytes_max}) {
    *limit = std::min(*limit, kMax);
  }
  limits.body_bytes_max = std::min(limits.body_bytes_max, kMax << 20);
  return limits;
}

std::string_view message_of(ProtocolErrorKind kind) {
  switch (kind) {
    case ProtocolErrorKind::kBadCommand: return "Bad command";
    case ProtocolErrorKind::kBadHeader: return "Bad header";
    case ProtocolErrorKind::kBadContentLength: return "Bad content-length";
    case ProtocolErrorKind::kBodyNotAllowed: return "Body not allowed";
    case ProtocolErrorKind::kTooLarge: return "Frame too large";
    case ProtocolErrorKind::kTls: return "TLS on a plain port";
  }
  assert(false);
  return {};
}

bool comes_from_server(Command command) {
  return command == Command::kConnected || command == Command::kMessage ||
         command == Command::kReceipt || command == Command::kError;
}

bool may_have_body(Command command) {
  return command == Command::kSend || command == Command::kMessage || command == Command::kError;
}

std::string bytes_text(std::size_t count) {
  return std::to_string(count) + " bytes";
}

}  // namespace

FrameDecoder::FrameDecoder(DecodeLimits limits, Side side)
    : limits_(bounded(limits)), side_(side) {}

void FrameDecoder::feed(std::string_view bytes) {
  if (state_ == State::kFailed) return;
  if (input_.empty()) {
    input_ = bytes;
    return;
  }
  keep_unread();
  kept_.append(bytes);
  input_ = std::string_view(kept_).substr(kept_.size() - bytes.size() - input_.size());
}

void FrameDecoder::keep_unread() {
  if (input_.empty()) return;
  if (!input_is_kept_) {
    kept_.assign(input_);
  } else if (kept_.size() > 2 * input_.size()) {
    kept_.erase(0, kept_.size() - input_.size());  // less is moved than was read before
  } else {
    return;
  }
  input_is_kept_ = true;
  input_ = kept_;
}

std::optional<DecodeEvent> FrameDecoder::next() {
  for (;;) {
    switch (advance()) {
      case Progress::kOn: break;
      case Progress::kStarved: release_read(); return std::nullopt;
      case Progress::kFrame: return finish_frame();
      case Progress::kFault: return *error_;
    }
  }
}

void FrameDecoder::use_again(Headers&& headers) {
  if (state_ != State::kCommand || input_.empty() || headers.bytes() > kUsualHeaderBytes) return;
  headers.clear();
  frame_.headers = std::move(headers);
}

// All input is read: frees the copies of it, and what was to be used again.
void FrameDecoder::release_read() {
  assert(input_.empty());
  input_is_kept_ = false;
  if (state_ == State::kCommand) frame_.headers = Headers();
  for (std::string* const read : {&kept_, &joined_}) {
    if (!read->empty()) *read = std::string();
  }
}

void FrameDecoder::set_version(Version version) {
  assert(state_ == State::kCommand || state_ == State::kFailed);
  version_ = version;
}

void FrameDecoder::set_unknown_escapes(UnknownEscapes unknown_escapes) {
  unknown_escapes_ = unknown_escapes;
}

void FrameDecoder::let_in() {
  let_in_ = true;
}

std::size_t FrameDecoder::held_bytes() const {
  return input_.size() + line_.size() + joined_.size() + frame_.headers.bytes() +
         frame_.body.size();
}

FrameDecoder::Progress FrameDecoder::advance() {
  switch (state_) {
    case State::kCommand: return read_command();
    case State::kHeaders: return read_header();
    case State::kSizedBody: return read_sized_body();
    case State::kBodyEnd: return read_body_end();
    case State::kNulBody: return read_nul_body();
    case State::kFailed: return Progress::kFault;
  }
  assert(false);
  return Progress::kFault;
}

// Command.

FrameDecoder::Progress FrameDecoder::read_command() {
  if (input_.empty()) return Progress::kStarved;
  if (!std::exchange(started_, true) && input_.front() == kTlsHandshake) {
    return fault(ProtocolErrorKind::kTls, "A TLS hello came to a port without TLS");
  }
  if (line_.empty()) skip_between_frames();
  std::string_view line;
  switch (take_line(limits_.command_bytes_max, line)) {
    case LineEnd::kWhole: return begin_frame(line);
    case LineEnd::kStarved: return Progress::kStarved;
    case LineEnd::kNul:
    case LineEnd::kTooLong: return bad_command(line);
  }
  assert(false);
  return Progress::kFault;
}

// Line ends are beats, stray NULs a habit of old clients (facts A4, A14). The CR of a CR LF is left
// to begin_frame, which sees an empty line.
void FrameDecoder::skip_between_frames() {
  std::size_t count = 0;
  while (count < input_.size() && (input_[count] == '\n' || input_[count] == '\0'))
    ++count;
  input_.remove_prefix(count);
}

// Takes a line of at most `room` bytes off the input, without its LF, or what there is of it.
// `line` lives until the next call.
FrameDecoder::LineEnd FrameDecoder::take_line(std::size_t room, std::string_view& line) {
  if (!line_.empty()) return take_line_in_pieces(room, line);
  const std::string_view window = input_.substr(0, room + 1);
  const std::size_t end = window.find('\n');
  if (end == std::string_view::npos) return take_line_in_pieces(room, line);
  line = window.substr(0, end);
  input_.remove_prefix(end + 1);
  return line.find('\0') == std::string_view::npos ? LineEnd::kWhole : LineEnd::kNul;
}

// The same, when not all of the line is in the input. Only new bytes are looked at, and no more
// than the room allows.
FrameDecoder::LineEnd FrameDecoder::take_line_in_pieces(std::size_t room, std::string_view& line) {
  assert(line_.size() <= room);
  const std::string_view window = input_.substr(0, room + 1 - line_.size());
  const std::size_t end = window.find('\n');
  const bool is_whole = end != std::string_view::npos;
  const std::string_view piece = window.substr(0, end);
  input_.remove_prefix(piece.size() + (is_whole ? 1 : 0));
  line_.append(piece);
  line = line_;
  if (piece.find('\0') != std::string_view::npos) return LineEnd::kNul;
  if (!is_whole) return line_.size() > room ? LineEnd::kTooLong : LineEnd::kStarved;
  joined_ = std::exchange(line_, std::string());
  line = joined_;
  return LineEnd::kWhole;
}

FrameDecoder::Progress FrameDecoder::begin_frame(std::string_view line) {
  std::string_view text = line;
  const bool has_cr = text.ends_with('\r');
  if (has_cr) text.remove_suffix(1);
  if (text.empty()) return Progress::kOn;
  const std::optional<Command> command = parse_command(text);
  if (!command) return bad_command(line);
  if (has_cr && version_ == Version::k11 && !is_login(*command)) {
    return fault(ProtocolErrorKind::kBadCommand,
                 "The command ends in CR LF. Lines of STOMP 1.1 end in LF, those of 1.2 in either");
  }
  if (comes_from_server(*command) != (side_ == Side::kClient)) {
    return fault(ProtocolErrorKind::kBadCommand,
                 "A " + std::string(side_ == Side::kClient ? "server" : "client") +
                     " does not send " + std::string(text));
  }
  frame_.command = *command;
  command_bytes_ = line.size() + 1;
  state_ = State::kHeaders;
  return Progress::kOn;
}

// Headers.

FrameDecoder::Progress FrameDecoder::read_header() {
  if (input_.empty()) return Progress::kStarved;
  std::string_view line;
  switch (take_line(line_room(), line)) {
    case LineEnd::kWhole: break;
    case LineEnd::kStarved: return Progress::kStarved;
    case LineEnd::kNul: return bad_header("has a NUL: a blank line must end the headers");
    case LineEnd::kTooLong: return line_too_long();
  }
  header_bytes_ += line.size() + 1;
  if (line.ends_with('\r') && cr_may_end_line()) line.remove_suffix(1);
  return line.empty() ? end_headers() : add_header(line);
}

FrameDecoder::Progress FrameDecoder::add_header(std::string_view line) {
  if (frame_.headers.size() == limits_.header_count_max) {
    return fault(ProtocolErrorKind::kTooLarge,
                 "A frame may have " + std::to_string(limits_.header_count_max) + " headers");
  }
  if (frame_.headers.empty()) frame_.headers.reserve(kUsualHeaderCount, kUsualHeaderBytes);
  const std::size_t colon = line.find(':');
  if (line == "\r")
    return bad_header("is CR LF: lines of STOMP 1.1 end in LF, those of 1.2 in either");
  if (colon == std::string_view::npos) return bad_header("has no colon");
  if (!is_login(frame_.command)) {
    if (version_ == Version::k10) return add_trimmed(line, colon);
    if (line.find('\\') != std::string_view::npos) return add_escaped(line, colon);
  }
  if (colon == 0) return bad_header("has no name");
  frame_.headers.add_line(line, colon);
  return Progress::kOn;
}

FrameDecoder::Progress FrameDecoder::add_trimmed(std::string_view line, std::size_t colon) {
  const std::string_view name = trimmed(line.substr(0, colon));
  if (name.empty()) return bad_header("has no name");
  frame_.headers.add(name, trimmed(line.substr(colon + 1)));
  return Progress::kOn;
}

FrameDecoder::Progress FrameDecoder::add_escaped(std::string_view line, std::size_t colon) {
  std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(colon + 1);
  if (name.empty()) return bad_header("has no name");
  std::string name_text;
  std::string value_text;
  if (version_ == Version::k11 && unknown_escapes_ == UnknownEscapes::kKeep) {
    append_unescaped_leniently(name_text, version_, name);
    append_unescaped_leniently(value_text, version_, value);
  } else if (!append_unescaped(name_text, version_, name) ||
             !append_unescaped(value_text, version_, value)) {
    return bad_header("has an escape that STOMP " + std::string(to_text(version_)) +
                      " does not define");
  }
  frame_.headers.add(name_text, value_text);
  return Progress::kOn;
}

FrameDecoder::Progress FrameDecoder::end_headers() {
  if (is_login(frame_.command) && !trim_login_headers()) {
    return fault(ProtocolErrorKind::kBadHeader, "A header has no name");
  }
  body_rule_ = body_rule();
  const std::optional<std::string_view> length = frame_.headers.find(kContentLength);
  if (length) return begin_sized_body(*length);
  state_ = State::kNulBody;
  return Progress::kOn;
}

// Only the whole of a login frame shows which dialect its sender speaks: without a version it
// is 1.0, where blanks are padding (fact A9); later they are data (A8). False if nothing is left of
// a name.
bool FrameDecoder::trim_login_headers() {
  const bool is_connected = frame_.command == Command::kConnected;
  if (frame_.headers.find(is_connected ? "version" : "accept-version")) return true;
  Headers headers;
  for (std::size_t i = 0; i < frame_.headers.size(); ++i) {
    const auto [name, value] = frame_.headers.at(i);
    if (trimmed(name).empty()) return false;
    headers.add(trimmed(name), trimmed(value));
  }
  frame_.headers = std::move(headers);
  return true;
}

// Body.

// Blanks round the number are taken in every version: gems of 2009 pad it (Puppet facts 1.4).
FrameDecoder::Progress FrameDecoder::begin_sized_body(std::string_view length_text) {
  const std::string_view digits = trimmed(length_text);
  std::uint64_t length = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, length);
  if (error != std::errc() || stop != end) {
    return fault(ProtocolErrorKind::kBadContentLength,
                 "content-length is not a number of bytes that could come");
  }
  if (length > 0 && body_rule_ == BodyRule::kRefuse) {
    return fault(ProtocolErrorKind::kBodyNotAllowed,
                 std::string(to_text(frame_.command)) + " has no body");
  }
  if (length > body_room()) return body_too_large();
  body_left_ = length;
  if (body_rule_ == BodyRule::kKeep && length <= kReserveBytesMax) frame_.body.reserve(length);
  state_ = State::kSizedBody;
  return Progress::kOn;
}

FrameDecoder::Progress FrameDecoder::read_sized_body() {
  const std::size_t count = std::min(body_left_, input_.size());
  take_body(count);
  body_left_ -= count;
  if (body_left_ > 0) return Progress::kStarved;
  state_ = State::kBodyEnd;
  return Progress::kOn;
}

// A 1.0 SEND may have a body that is longer than announced: old gems count characters. They send
// text, so the next NUL ends it (Puppet facts 1.4).
FrameDecoder::Progress FrameDecoder::read_body_end() {
  if (input_.empty()) return Progress::kStarved;
  if (input_.front() == '\0') {
    input_.remove_prefix(1);
    return Progress::kFrame;
  }
  if (version_ == Version::k10 && frame_.command == Command::kSend) {
    frame_.short_length_mended = true;
    state_ = State::kNulBody;
    return Progress::kOn;
  }
  return fault(ProtocolErrorKind::kBadContentLength,
               "No NUL follows the " + bytes_text(body_bytes_) + " that content-length announces");
}

FrameDecoder::Progress FrameDecoder::read_nul_body() {
  if (input_.empty()) return Progress::kStarved;
  if (body_rule_ == BodyRule::kRefuse && input_.front() != '\0') {
    return fault(ProtocolErrorKind::kBodyNotAllowed,
                 std::string(to_text(frame_.command)) + " has no body");
  }
  const std::size_t room = body_room();
  const std::string_view window = input_.substr(0, room + 1);
  const std::size_t end = window.find('\0');
  if (end == std::string_view::npos && window.size() > room) return body_too_large();
  take_body(std::min(end, window.size()));
  if (end == std::string_view::npos) return Progress::kStarved;
  input_.remove_prefix(1);
  return Progress::kFrame;
}

void FrameDecoder::take_body(std::size_t count) {
  if (body_rule_ == BodyRule::kKeep) frame_.body.append(input_.substr(0, count));
  body_bytes_ += count;
  input_.remove_prefix(count);
}

std::optional<DecodeEvent> FrameDecoder::finish_frame() {
  std::optional<DecodeEvent> event(std::in_place, std::in_place_type<Frame>, std::move(frame_));
  frame_ = Frame();
  header_bytes_ = 0;
  body_bytes_ = 0;
  state_ = State::kCommand;
  return event;
}

// Rules and bounds.

std::size_t FrameDecoder::line_room() const {
  return std::min({limits_.header_line_bytes_max,
                   limits_.headers_bytes_max - std::min(header_bytes_, limits_.headers_bytes_max),
                   frame_room()});
}

std::size_t FrameDecoder::body_room() const {
  return std::min(limits_.body_bytes_max - body_bytes_, frame_room());
}

// What is left of the whole frame, the last NUL not counted.
std::size_t FrameDecoder::frame_room() const {
  if (let_in_) return std::numeric_limits<std::size_t>::max();
  const std::size_t used = command_bytes_ + header_bytes_ + body_bytes_ + 1;
  const std::size_t bound = limits_.frame_bytes_max_before_login;
  return bound - std::min(used, bound);
}

// By the letter, a CR is data in 1.1 (fact A3).
bool FrameDecoder::cr_may_end_line() const {
  return version_ != Version::k11 || is_login(frame_.command);
}

// 1.0 does not limit who has a body, it says to ignore it; later versions forbid it (fact C4).
FrameDecoder::BodyRule FrameDecoder::body_rule() const {
  if (may_have_body(frame_.command)) return BodyRule::kKeep;
  return version_ == Version::k10 ? BodyRule::kDrop : BodyRule::kRefuse;
}

// Faults.

FrameDecoder::Progress FrameDecoder::fault(ProtocolErrorKind kind, std::string detail) {
  ProtocolError error{.kind = kind,
                      .message = std::string(message_of(kind)),
                      .detail = std::move(detail),
                      .receipt = std::nullopt};
  const auto receipt = frame_.headers.find("receipt");
  // A receipt on CONNECT is not answered, not even here (fact D14).
  if (receipt && !is_login(frame_.command)) error.receipt = std::string(*receipt);
  error_ = std::move(error);
  state_ = State::kFailed;
  input_ = {};
  input_is_kept_ = false;
  for (std::string* const held : {&kept_, &line_, &joined_})
    *held = std::string();
  frame_ = Frame();
  return Progress::kFault;
}

FrameDecoder::Progress FrameDecoder::bad_command(std::string_view line) {
  return fault(ProtocolErrorKind::kBadCommand,
               describe_bad_command(line, limits_.command_bytes_max));
}

// Says where, not what: the line may be a part of a passcode.
FrameDecoder::Progress FrameDecoder::bad_header(std::string_view what) {
  return fault(ProtocolErrorKind::kBadHeader,
               "Header line " + std::to_string(frame_.headers.size() + 1) + " of the " +
                   std::string(to_text(frame_.command)) + " frame " + std::string(what));
}

FrameDecoder::Progress FrameDecoder::line_too_long() {
  if (line_room() == limits_.header_line_bytes_max) {
    return fault(ProtocolErrorKind::kTooLarge,
                 "A header line may have " + bytes_text(limits_.header_line_bytes_max));
  }
  if (line_room() < frame_room()) {
    return fault(ProtocolErrorKind::kTooLarge,
                 "The headers of a frame may have " + bytes_text(limits_.headers_bytes_max));
  }
  return fault(ProtocolErrorKind::kTooLarge,
               "A frame before login may have " + bytes_text(limits_.frame_bytes_max_before_login));
}

FrameDecoder::Progress FrameDecoder::body_too_large() {
  if (limits_.body_bytes_max - body_bytes_ <= frame_room()) {
    return fault(ProtocolErrorKind::kTooLarge,
                 "A body may have " + bytes_text(limits_.body_bytes_max));
  }
  return fault(ProtocolErrorKind::kTooLarge,
               "A frame before login may have " + bytes_text(limits_.frame_bytes_max_before_login));
}

}  // namespace stompbox::protocol

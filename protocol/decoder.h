#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/frame.h"
#include "protocol/limits.h"
#include "protocol/version.h"

namespace stompbox::protocol {

enum class ProtocolErrorKind {
  kBadCommand,        // not a command that this side may get: garbage, HTTP, lower case
  kBadHeader,         // no colon, empty name, undefined escape, line that cannot be
  kBadContentLength,  // not a number, negative, overflowing, or no NUL where it says
  kBodyNotAllowed,    // a body on a frame other than SEND, 1.1 and later (fact C4)
  kTooLarge,          // beyond a DecodeLimits bound
  kTls,               // a TLS hello on a plain port (fact D16): there is nobody to read an ERROR
};

// The peer's fault. `message` is the short text for the ERROR's header, `detail` the readable body,
// one sentence or two without a final newline; neither ever contains a passcode. Headers read
// before the fault give the receipt, if there was one.
struct ProtocolError {
  ProtocolErrorKind kind = ProtocolErrorKind::kBadCommand;
  std::string message;
  std::string detail;
  std::optional<std::string> receipt;

  friend bool operator==(const ProtocolError&, const ProtocolError&) = default;
};

using DecodeEvent = std::variant<Frame, ProtocolError>;

// Whose ear the decoder is: a server takes the commands of clients, a client those of servers.
enum class Side { kServer, kClient };

// Undefined escapes in 1.1 frames: an error, or data as they stand (fact B10: peers exist that
// escape in 1.2 only). In 1.2 they are always an error.
enum class UnknownEscapes { kRefuse, kKeep };

// Turns one peer's bytes into frames. The same bytes give the same events, however they are cut.
// Single-threaded. Keeps its own copies: nothing returned points into fed bytes.
//
//   command ──EOL──▶ headers ──blank line──▶ sized body ──▶ body end ──NUL──▶ command ...
//      ▲  │ EOL, NUL      │                               └─ (1.0 SEND, no NUL) ─▶ NUL body
//      └──┘ (skipped)     │                  NUL body ──NUL──▶ command ...
//                         └─ any fault ──▶ failed (for ever)
//
// Starts in the dialect of a connection without a version: CONNECT and STOMP are read without
// escapes and with CR LF allowed (facts A3, B6) whatever the version.
//
// Decodes lazily: next() goes no further than the end of the frame that it returns, so that
// set_version() and let_in() rule all that follows, bytes fed before included.
//
// Time is linear in the bytes, even if they come one by one. Memory is the frame so far (an
// announced length beyond 1 MiB costs nothing until its bytes come), one line, and unread input.
class FrameDecoder {
 public:
  explicit FrameDecoder(DecodeLimits limits, Side side = Side::kServer);
  FrameDecoder(const FrameDecoder&) = delete;
  FrameDecoder& operator=(const FrameDecoder&) = delete;

  // Offers bytes. They must live until next() has returned nothing or an error, or keep_unread()
  // was called: unread bytes are not copied before. Ignored after an error.
  void feed(std::string_view bytes);

  // The next complete event, or nothing until more is fed. After an error, always that error.
  [[nodiscard]] std::optional<DecodeEvent> next();

  // Headers of a frame that is done with: their memory serves the next one that is fed already.
  void use_again(Headers&& headers);

  // Copies what is unread, for a caller that stops calling next() for a while (no credit, a
  // password being checked) and needs its buffer. Without unread bytes it does nothing.
  void keep_unread();

  // The dialect of what comes after CONNECT; call it between frames.
  void set_version(Version version);
  void set_unknown_escapes(UnknownEscapes unknown_escapes);
  // Lifts the bound on the whole frame that holds before login.
  void let_in();

  // Bytes held: partial frame and unread input. For the broker's budget of inbound memory.
  [[nodiscard]] std::size_t held_bytes() const;

 private:
  enum class State : std::uint8_t { kCommand, kHeaders, kSizedBody, kBodyEnd, kNulBody, kFailed };
  enum class Progress : std::uint8_t { kOn, kStarved, kFrame, kFault };
  enum class LineEnd : std::uint8_t { kWhole, kStarved, kNul, kTooLong };
  enum class BodyRule : std::uint8_t { kKeep, kDrop, kRefuse };

  // One step in the present state; each consumes input or changes the state.
  Progress advance();
  Progress read_command();
  Progress read_header();
  Progress read_sized_body();
  Progress read_body_end();
  Progress read_nul_body();

  void release_read();
  void skip_between_frames();
  LineEnd take_line(std::size_t room, std::string_view& line);
  LineEnd take_line_in_pieces(std::size_t room, std::string_view& line);
  Progress begin_frame(std::string_view line);
  Progress add_header(std::string_view line);
  Progress add_trimmed(std::string_view line, std::size_t colon);
  Progress add_escaped(std::string_view line, std::size_t colon);
  Progress end_headers();
  bool trim_login_headers();
  Progress begin_sized_body(std::string_view length_text);
  void take_body(std::size_t count);
  std::optional<DecodeEvent> finish_frame();

  // Bytes that may still come: of this header line, of this body.
  [[nodiscard]] std::size_t line_room() const;
  [[nodiscard]] std::size_t body_room() const;
  [[nodiscard]] std::size_t frame_room() const;
  [[nodiscard]] bool cr_may_end_line() const;
  [[nodiscard]] BodyRule body_rule() const;

  Progress fault(ProtocolErrorKind kind, std::string detail);
  Progress bad_command(std::string_view line);
  Progress bad_header(std::string_view what);
  Progress line_too_long();
  Progress body_too_large();

  // Constant after construction.
  const DecodeLimits limits_;
  const Side side_;

  // Of the connection.
  Version version_ = Version::k10;
  UnknownEscapes unknown_escapes_ = UnknownEscapes::kRefuse;
  bool let_in_ = false;
  bool started_ = false;  // a first byte was seen
  std::optional<ProtocolError> error_;

  // Of the input. `input_` is what is unread: fed bytes, or the end of `kept_`.
  std::string_view input_;
  bool input_is_kept_ = false;
  std::string kept_;
  std::string line_;    // the start of a line whose end has not come
  std::string joined_;  // the last line that came in pieces: take_line's view points here

  // Of the frame that is being read.
  State state_ = State::kCommand;
  BodyRule body_rule_ = BodyRule::kKeep;
  Frame frame_;
  std::size_t command_bytes_ = 0;
  std::size_t header_bytes_ = 0;
  std::size_t body_bytes_ = 0;  // seen so far, dropped ones too
  std::size_t body_left_ = 0;   // of the announced length
};

}  // namespace stompbox::protocol

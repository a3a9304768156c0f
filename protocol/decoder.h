#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/frame.h"
#include "protocol/limits.h"
#include "protocol/version.h"

namespace stompbox::protocol {

enum class ProtocolErrorKind {
  kBadCommand,        // not a STOMP command: garbage, HTTP, lower case
  kBadHeader,         // no colon, empty name, undefined escape, line that cannot be
  kBadContentLength,  // not a number, negative, overflowing, or no NUL where it says
  kBodyNotAllowed,    // a body on a frame other than SEND, 1.1 and later (fact C4)
  kTooLarge,          // beyond a DecodeLimits bound
  kTls,               // a TLS hello on a plain port (fact D16): there is nobody to read an ERROR
};

// The peer's fault. `message` is the short text for the ERROR's header, `detail` the readable body;
// neither ever contains a passcode. Headers read before the fault give the receipt, if there was one.
struct ProtocolError {
  ProtocolErrorKind kind = ProtocolErrorKind::kBadCommand;
  std::string message;
  std::string detail;
  std::optional<std::string> receipt;
};

using DecodeEvent = std::variant<Frame, ProtocolError>;

// Turns one peer's bytes into frames. The same bytes give the same events, however they are cut.
// Single-threaded. Keeps its own copies: nothing returned points into fed bytes.
//
//   command ──EOL──▶ headers ──blank line──▶ sized body ──NUL──▶ command ...
//      ▲  │ EOL, NUL      │                  NUL body
//      └──┘ (skipped)     └─ any fault ──▶ failed (for ever)
//
// Starts in the dialect of a connection without a version: CONNECT and STOMP are read without
// escapes and with CR LF allowed (facts A3, B6) whatever the version.
class FrameDecoder {
 public:
  explicit FrameDecoder(DecodeLimits limits);

  // Offers bytes; what is not needed yet is kept. `bytes` need only live during the call when
  // followed by next() until it returns nothing: unconsumed bytes are copied by the next feed or by
  // the last next().
  void feed(std::string_view bytes);

  // The next complete event, or nothing until more is fed. After an error, always that error.
  [[nodiscard]] std::optional<DecodeEvent> next();

  // The dialect of what comes after CONNECT; call it between frames.
  void set_version(Version version);
  // Lifts the bound on the whole frame that holds before login.
  void let_in();

  // Bytes held: partial frame and unread input. For the broker's budget of inbound memory.
  [[nodiscard]] std::size_t held_bytes() const;
};

}  // namespace stompbox::protocol

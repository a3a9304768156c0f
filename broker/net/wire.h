#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/net/certificate_names.h"
#include "broker/net/entrance.h"
#include "broker/net/tls_layer.h"
#include "broker/net/web_socket.h"
#include "broker/session/outbox.h"

namespace stompbox::net {

// Room to work in, one for all connections: nothing in it outlives an event.
struct WireBuffers {
  std::vector<char> plain;  // decrypted
  std::string joined;       // what is to be encrypted
  std::string out;          // for the socket
};

// What stands between a socket and a session where it is not plain STOMP: TLS, WebSocket, WebSocket
// over TLS, or not known yet. Bytes in and bytes out, no I/O. An idle one holds no buffer.
//
//   socket ──▶ sniffing ──0x16──▶ TLS ──┐
//                 │                     ▼
//                 ├──────────────▶ sniffing ───'G'───▶ WebSocket ──▶ session
//                 │                     └──else──▶ STOMP ──▶ session
//                 └─ first bytes of STOMP: is_plain(), the owner goes on without it
//
// One byte is enough: TLS begins with 0x16, HTTP's GET with the 'G' that no STOMP command has.
class Wire {
 public:
  // `entrance` outlives this; its scheme says what is expected.
  explicit Wire(const Entrance& entrance);
  // Whether connections of that scheme need one.
  [[nodiscard]] static bool is_needed(Scheme scheme) { return scheme != Scheme::kTcp; }

  enum class End { kNone, kOrderly, kFault };
  struct Taken {
    std::span<char> bytes;  // for the session; they live until the buffers are used again
    End end = End::kNone;
  };
  // Decodes what came; what has to be answered is in `buffers.out`.
  [[nodiscard]] Taken take(std::span<char> came, WireBuffers& buffers);

  // Encodes what waits in `outbox` into `buffers.out`, up to a bound; returns how much of it.
  [[nodiscard]] std::size_t seal(const session::Outbox& outbox, WireBuffers& buffers);
  // The last words to a peer that speaks with us: close frame, close alert. Once; nothing before.
  void say_goodbye(CloseCode code, WireBuffers& buffers);

  // Output that was encoded and that the socket has not taken yet: it goes first.
  struct Unsent {
    std::string bytes;
    std::size_t outbox_bytes = 0;  // what the session is told once all are out
  };
  Unsent unsent;

  // The rest of the connection is plain STOMP.
  [[nodiscard]] bool is_plain() const {
    return outer_ == Outer::kDecided && !tls_ && inner_ == Inner::kStomp;
  }
  // The handshakes are done.
  [[nodiscard]] bool is_open() const;
  [[nodiscard]] const std::string& fault() const { return fault_; }
  [[nodiscard]] std::optional<CertificateNames> client_names() const;
  // "tls", "ws", "tls handshake", …, for the log.
  [[nodiscard]] std::string_view stage() const;

 private:
  enum class Outer : std::uint8_t { kSniffing, kTlsAwaited, kDecided };
  enum class Inner : std::uint8_t { kSniffing, kStomp, kWebSocket };

  [[nodiscard]] bool decide_outer(std::span<char> came, WireBuffers& buffers);
  [[nodiscard]] Taken take_inner(std::span<char> came, WireBuffers& buffers);
  void begin_inner(Inner inner);
  void fail(std::string why) { fault_ = std::move(why); }

  const Entrance& entrance_;
  Outer outer_;
  Inner inner_;
  bool said_goodbye_ = false;
  std::unique_ptr<TlsLayer> tls_;
  std::unique_ptr<WebSocket> web_socket_;
  std::string fault_;
};

// An ERROR frame of STOMP with its NUL, for peers that get no session.
[[nodiscard]] std::string error_frame(std::string_view message, std::string_view sentence);

}  // namespace stompbox::net

#include "broker/net/wire.h"

#include <algorithm>
#include <array>
#include <utility>

#include "broker/net/web_socket_handshake.h"

namespace stompbox::net {
namespace {

using session::Outbox;

constexpr char kTlsHandshake = 0x16;
constexpr std::string_view kGet = "GET ";
constexpr std::string_view kTlsNeeded =
    "This port speaks TLS, and these were plain bytes; connect with TLS.";
constexpr std::string_view kWebSocketNeeded =
    "This port speaks WebSocket, and this was plain STOMP; use another port.";
// Of one batch, and so of one WebSocket frame.
constexpr std::size_t kBatchBytesMax = 64 * 1024;
constexpr std::size_t kPiecesMax = 64;

std::string_view view(std::span<const char> bytes) {
  return {bytes.data(), bytes.size()};
}

// The first line of a STOMP session, as far as it came.
bool looks_like_stomp(std::string_view bytes) {
  while (bytes.starts_with('\n') || bytes.starts_with('\r'))
    bytes.remove_prefix(1);
  const auto begins = [bytes](std::string_view word) {
    return bytes.starts_with(word) || (!bytes.empty() && word.starts_with(bytes));
  };
  return begins("CONNECT\n") || begins("CONNECT\r\n") || begins("STOMP\n") || begins("STOMP\r\n");
}

bool is_text(char byte) {
  return (byte >= 'A' && byte <= 'Z') || byte == '\n' || byte == '\r';
}

std::span<const Outbox::Piece> gather(const Outbox& outbox,
                                      std::array<Outbox::Piece, kPiecesMax>& pieces) {
  return std::span(pieces).first(outbox.gather(pieces.data(), pieces.size()));
}

std::size_t join(std::span<const Outbox::Piece> pieces, std::string& out) {
  std::size_t taken = 0;
  for (const Outbox::Piece& piece : pieces) {
    const std::size_t size = std::min(piece.size, kBatchBytesMax - taken);
    out.append(piece.begin, size);
    taken += size;
  }
  return taken;
}

}  // namespace

std::string error_frame(std::string_view message, std::string_view sentence) {
  std::string frame("ERROR\nmessage:");
  frame.append(message).append("\ncontent-type:text/plain\ncontent-length:");
  frame += std::to_string(sentence.size() + 1);
  frame.append("\n\n").append(sentence).append("\n").push_back('\0');
  return frame;
}

Wire::Wire(const Entrance& entrance)
    : entrance_(entrance), outer_(Outer::kDecided), inner_(Inner::kSniffing) {
  switch (entrance.scheme()) {
    case Scheme::kTcp: begin_inner(Inner::kStomp); break;
    case Scheme::kTls:
      outer_ = Outer::kTlsAwaited;
      begin_inner(Inner::kStomp);
      break;
    case Scheme::kWs: begin_inner(Inner::kWebSocket); break;
    case Scheme::kWss:
      outer_ = Outer::kTlsAwaited;
      begin_inner(Inner::kWebSocket);
      break;
    case Scheme::kAuto: outer_ = Outer::kSniffing; break;
  }
}

void Wire::begin_inner(Inner inner) {
  inner_ = inner;
  if (inner == Inner::kWebSocket) {
    web_socket_ = std::make_unique<WebSocket>(entrance_.options().origins);
  }
}

Wire::Taken Wire::take(std::span<char> came, WireBuffers& buffers) {
  buffers.out.clear();
  if (came.empty() || !fault_.empty()) return {};
  if (outer_ != Outer::kDecided && !decide_outer(came, buffers)) return {{}, End::kFault};
  if (!tls_) {
    buffers.joined.clear();
    const Taken taken = take_inner(came, buffers);
    buffers.out += buffers.joined;
    return taken;
  }
  buffers.plain.resize(std::max(buffers.plain.size(), came.size() + TlsLayer::kRecordBytesMax));
  const auto [size, tls_end] = tls_->take(view(came), buffers.plain, buffers.out);
  buffers.joined.clear();
  Taken taken = take_inner(std::span(buffers.plain).first(size), buffers);
  if (said_goodbye_) buffers.joined.clear();  // behind our close_notify nothing more is written
  if (tls_end == TlsLayer::End::kFault) {
    fail("TLS: " + tls_->fault());
    taken.end = End::kFault;
  } else if (!tls_->seal(buffers.joined, buffers.out) && taken.end == End::kNone) {
    fail("TLS: " + tls_->fault());
    taken.end = End::kFault;
  }
  if (tls_end == TlsLayer::End::kOrderly && taken.end == End::kNone) taken.end = End::kOrderly;
  return taken;
}

// By the first byte. False: this port wants TLS, and the peer does not speak it.
bool Wire::decide_outer(std::span<char> came, WireBuffers& buffers) {
  const bool awaited = std::exchange(outer_, Outer::kDecided) == Outer::kTlsAwaited;
  // A port for all that demands certificates is for TLS only: plain bytes can show none.
  const bool must = awaited || entrance_.options().tls.clients == ClientCertificates::kRequired;
  const bool hello = came.front() == kTlsHandshake;
  if (must && is_text(came.front())) {
    fail("plain bytes on a port that speaks TLS");
    buffers.out = view(came).starts_with(kGet) ? http_refusal("400 Bad Request", "", kTlsNeeded)
                                               : error_frame("TLS needed", kTlsNeeded);
    return false;
  }
  if (must && entrance_.tls() == nullptr) {
    fail("client certificates are demanded on a port without TLS");
    return false;
  }
  if (must || (hello && entrance_.tls() != nullptr)) {
    tls_ = std::make_unique<TlsLayer>(*entrance_.tls());
  }
  return true;
}

// Replies of the WebSocket go into `buffers.joined`.
Wire::Taken Wire::take_inner(std::span<char> came, WireBuffers& buffers) {
  if (came.empty()) return {};
  if (inner_ == Inner::kSniffing) {
    begin_inner(came.front() == kGet.front() ? Inner::kWebSocket : Inner::kStomp);
  }
  if (inner_ == Inner::kStomp) return {came, End::kNone};
  if (entrance_.scheme() != Scheme::kAuto && !web_socket_->has_begun() &&
      looks_like_stomp(view(came))) {
    fail("plain STOMP on a port that speaks WebSocket");
    buffers.joined += error_frame("WebSocket needed", kWebSocketNeeded);
    return {{}, End::kFault};
  }
  const auto [bytes, end] = web_socket_->take(came, buffers.joined);
  switch (end) {
    case WebSocket::End::kNone: return {bytes, End::kNone};
    case WebSocket::End::kClosed: return {bytes, End::kOrderly};
    case WebSocket::End::kFault: break;
  }
  fail("WebSocket: " + web_socket_->fault());
  return {bytes, End::kFault};
}

std::size_t Wire::seal(const Outbox& outbox, WireBuffers& buffers) {
  buffers.out.clear();
  if (!is_open()) return 0;
  std::array<Outbox::Piece, kPiecesMax> room;
  const auto pieces = gather(outbox, room);
  std::string& encoded = tls_ ? buffers.joined : buffers.out;
  encoded.clear();
  const std::size_t taken =
      web_socket_ ? web_socket_->seal(pieces, kBatchBytesMax, encoded) : join(pieces, encoded);
  if (tls_ && !tls_->seal(encoded, buffers.out)) {
    fail("TLS: " + tls_->fault());
    return 0;
  }
  return taken;
}

void Wire::say_goodbye(CloseCode code, WireBuffers& buffers) {
  buffers.out.clear();
  if (!fault_.empty() || std::exchange(said_goodbye_, true)) return;
  buffers.joined.clear();
  if (web_socket_) web_socket_->say_goodbye(code, buffers.joined);
  if (!tls_) {
    buffers.out = buffers.joined;
    return;
  }
  if (!tls_->handshake_done()) return;
  if (tls_->seal(buffers.joined, buffers.out)) tls_->say_goodbye(buffers.out);
}

bool Wire::is_open() const {
  if (!fault_.empty() || said_goodbye_) return false;
  if (outer_ != Outer::kDecided || inner_ == Inner::kSniffing) return false;
  return (!tls_ || tls_->handshake_done()) && (!web_socket_ || web_socket_->is_open());
}

std::optional<CertificateNames> Wire::client_names() const {
  return tls_ ? tls_->client_names() : std::nullopt;
}

std::string_view Wire::stage() const {
  if (outer_ != Outer::kDecided) return "nothing yet";
  if (tls_ && !tls_->handshake_done()) return "TLS handshake";
  if (web_socket_ && !web_socket_->is_open()) return "WebSocket handshake";
  return inner_ == Inner::kWebSocket ? "WebSocket" : "STOMP";
}

}  // namespace stompbox::net

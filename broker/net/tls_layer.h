#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "broker/net/certificate_names.h"
#include "broker/net/tls_context.h"

struct ssl_st;

namespace stompbox::net {

// The server's side of one TLS connection, bytes in and bytes out: it touches no socket. Between
// two calls it holds a record that has come in part, and nothing else.
class TlsLayer {
 public:
  // The context may be replaced meanwhile: this one is kept.
  explicit TlsLayer(const TlsContext& context);

  // A record that had come in part may be completed: `room` of take() is larger than `came` by it.
  static constexpr std::size_t kRecordBytesMax = 16 * 1024 + 512;

  enum class End { kNone, kOrderly, kFault };
  struct Taken {
    std::size_t bytes = 0;  // written into `room`
    End end = End::kNone;
  };
  // Decrypts all of `came`; what has to be answered is appended to `replies` (handshake, alerts).
  [[nodiscard]] Taken take(std::string_view came, std::span<char> room, std::string& replies);
  // Appends `bytes`, encrypted, to `out`. Only after the handshake. False: a fault.
  [[nodiscard]] bool seal(std::string_view bytes, std::string& out);
  // The last word: nothing is sealed after it.
  void say_goodbye(std::string& out);

  [[nodiscard]] bool handshake_done() const;
  // Of a client certificate that the authorities have signed, after the handshake.
  [[nodiscard]] std::optional<CertificateNames> client_names() const;
  // After a fault: what OpenSSL says.
  [[nodiscard]] const std::string& fault() const { return fault_; }
  [[nodiscard]] std::string_view version() const;  // "TLSv1.3"

 private:
  struct SslFree {
    void operator()(ssl_st* ssl) const;
  };
  void note_fault();

  std::unique_ptr<ssl_st, SslFree> ssl_;
  std::string fault_;
};

}  // namespace stompbox::net

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/result.h"

struct ssl_st;

namespace stompbox::client {

// What a client needs for TLS, all of it PEM files.
struct TlsTrust {
  std::string authorities;  // who may have signed the broker's certificate; empty: the system's
  std::string certificate;  // of this client; empty: none
  std::string key;          // of it; empty: in the same file
};

// The client's side of one TLS connection, bytes in and bytes out: it touches no socket. The
// broker's certificate has to be signed by somebody trusted and be made out to its host. Errors are
// sentences for people.
class TlsClient {
 public:
  using Sink = std::function<void(std::string_view bytes)>;

  [[nodiscard]] static storage::Result<TlsClient> make(const std::string& host,
                                                       const TlsTrust& trust);

  enum class Handshake { kDone, kGoesOn };
  // Goes on with what was fed; what has to be sent is appended to `out`.
  [[nodiscard]] storage::Result<Handshake> shake_hands(std::string& out);
  // Bytes of the broker, before and after the handshake.
  void feed(std::string_view came);
  enum class End { kNone, kOrderly };
  // Hands decrypted bytes to the sink.
  [[nodiscard]] storage::Result<End> open(const Sink& sink);
  [[nodiscard]] storage::Status seal(std::string_view bytes, std::string& out);

 private:
  struct SslFree {
    void operator()(ssl_st* ssl) const;
  };
  explicit TlsClient(std::string host) : host_(std::move(host)) {}
  void take_output(std::string& out);
  // What is wrong with it, kept: what comes after a fault is the same fault.
  [[nodiscard]] storage::Error fault();
  [[nodiscard]] storage::Error describe_fault() const;

  std::string host_;
  std::optional<storage::Error> fault_;
  std::unique_ptr<ssl_st, SslFree> ssl_;
};

}  // namespace stompbox::client

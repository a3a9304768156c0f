#pragma once

#include <memory>

#include "broker/net/listener_options.h"
#include "storage/result.h"

struct ssl_ctx_st;

namespace stompbox::net {

// Certificate, key, authorities and rules of a TLS listener, as OpenSSL keeps them. Immutable: a
// reload makes a new one, and connections keep the one that they began with.
// TLS 1.2 and 1.3; no renegotiation and no compression. SNI is not looked at: a listener has one
// certificate.
class TlsContext {
 public:
  // Reads the files. Errors are one sentence with the file and the remedy: kNotFound, kDenied or
  // kInvalid (no PEM, key of another certificate, key with a passphrase, expired).
  [[nodiscard]] static storage::Result<TlsContext> load(const TlsOptions& options);

  [[nodiscard]] ssl_ctx_st* native() const { return context_.get(); }

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}

  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace stompbox::net

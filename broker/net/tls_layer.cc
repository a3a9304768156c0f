#include "broker/net/tls_layer.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>

namespace stompbox::net {
namespace {

// What OpenSSL reads from and writes to during one call of ours; nothing between the calls.
struct Bytes {
  std::string_view in;
  std::string* out = nullptr;
};

Bytes& bytes_of(BIO* bio) {
  auto* const bytes = static_cast<Bytes*>(BIO_get_data(bio));
  assert(bytes != nullptr);
  return *bytes;
}

int read_bytes(BIO* bio, char* to, std::size_t size_max, std::size_t* size) {
  BIO_clear_retry_flags(bio);
  std::string_view& in = bytes_of(bio).in;
  if (in.empty()) {
    BIO_set_retry_read(bio);
    return 0;
  }
  *size = std::min(size_max, in.size());
  std::memcpy(to, in.data(), *size);
  in.remove_prefix(*size);
  return 1;
}

int write_bytes(BIO* bio, const char* from, std::size_t size, std::size_t* written) {
  bytes_of(bio).out->append(from, size);
  *written = size;
  return 1;
}

long control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_method() {
  BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stompbox");
  if (method == nullptr) throw std::bad_alloc();
  BIO_meth_set_read_ex(method, read_bytes);
  BIO_meth_set_write_ex(method, write_bytes);
  BIO_meth_set_ctrl(method, control);
  return method;
}

// The program's, for good.
BIO_METHOD* method() {
  static BIO_METHOD* const kMethod = make_method();
  return kMethod;
}

// Gives a connection its bytes for the time of a call.
class Lent {
 public:
  Lent(SSL* ssl, std::string_view in, std::string& out)
      : bio_(SSL_get_rbio(ssl)), bytes_{in, &out} {
    BIO_set_data(bio_, &bytes_);
    ERR_clear_error();
  }
  ~Lent() { BIO_set_data(bio_, nullptr); }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;

 private:
  BIO* bio_;
  Bytes bytes_;
};

}  // namespace

void TlsLayer::SslFree::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

TlsLayer::TlsLayer(const TlsContext& context) : ssl_(SSL_new(context.native())) {
  BIO* const bio = BIO_new(method());
  if (!ssl_ || bio == nullptr) throw std::bad_alloc();
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
}

TlsLayer::Taken TlsLayer::take(std::string_view came, std::span<char> room, std::string& replies) {
  const Lent lent(ssl_.get(), came, replies);
  Taken taken;
  for (;;) {
    const std::span<char> left = room.subspan(taken.bytes);
    assert(!left.empty());
    std::size_t size = 0;
    const int result = SSL_read_ex(ssl_.get(), left.data(), left.size(), &size);
    taken.bytes += size;
    if (result == 1) continue;
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ: return taken;
      case SSL_ERROR_ZERO_RETURN: taken.end = End::kOrderly; return taken;
      default:
        note_fault();
        taken.end = End::kFault;
        return taken;
    }
  }
}

bool TlsLayer::seal(std::string_view bytes, std::string& out) {
  if (!fault_.empty()) return false;
  if (bytes.empty()) return true;
  const Lent lent(ssl_.get(), {}, out);
  std::size_t written = 0;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
  if (result != 1) note_fault();
  return result == 1;
}

void TlsLayer::say_goodbye(std::string& out) {
  if (!handshake_done() || !fault_.empty()) return;
  const Lent lent(ssl_.get(), {}, out);
  static_cast<void>(SSL_shutdown(ssl_.get()));  // 0: theirs has not come, and is not waited for
  ERR_clear_error();
}

bool TlsLayer::handshake_done() const {
  return SSL_is_init_finished(ssl_.get()) == 1;
}

std::optional<CertificateNames> TlsLayer::client_names() const {
  const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) {
    return std::nullopt;
  }
  return names_of(certificate);
}

std::string_view TlsLayer::version() const {
  return SSL_get_version(ssl_.get());
}

void TlsLayer::note_fault() {
  const char* const reason = ERR_reason_error_string(ERR_peek_error());
  fault_ = reason != nullptr ? reason : "the connection broke";
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (verdict != X509_V_OK) {
    fault_.append(" (").append(X509_verify_cert_error_string(verdict)).append(")");
  }
  ERR_clear_error();
}

}  // namespace stompbox::net

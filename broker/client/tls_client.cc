#include "broker/client/tls_client.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <utility>

namespace stompbox::client {
namespace {

using storage::Error;
using storage::ErrorCode;

struct ContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, ContextFree>;

std::string take_reason() {
  const char* const reason = ERR_reason_error_string(ERR_peek_error());
  std::string text = reason != nullptr ? reason : "unknown reason";
  ERR_clear_error();
  return text;
}

Error bad_file(std::string_view what, const std::string& path) {
  return {ErrorCode::kInvalid, "the " + std::string(what) + " '" + path + "' cannot be used: " +
                                   take_reason() + "; it has to be a PEM file that you may read"};
}

// Nobody is asked for a passphrase: a script would hang.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

storage::Status prepare(SSL_CTX* context, const TlsTrust& trust) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (trust.authorities.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else if (SSL_CTX_load_verify_file(context, trust.authorities.c_str()) != 1) {
    return bad_file("file of authorities", trust.authorities);
  }
  if (trust.certificate.empty()) return storage::kOk;
  if (SSL_CTX_use_certificate_chain_file(context, trust.certificate.c_str()) != 1) {
    return bad_file("certificate", trust.certificate);
  }
  const std::string& key = trust.key.empty() ? trust.certificate : trust.key;
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return bad_file("key", key);
  }
  return storage::kOk;
}

bool is_numeric(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

// The certificate has to be made out to this host. A name is told to the broker, too (SNI).
bool expect_host(SSL* ssl, const std::string& host) {
  if (is_numeric(host)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  }
  return SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

}  // namespace

void TlsClient::SslFree::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

storage::Result<TlsClient> TlsClient::make(const std::string& host, const TlsTrust& trust) {
  ERR_clear_error();
  const Context context(SSL_CTX_new(TLS_client_method()));
  if (!context) return Error{ErrorCode::kIo, "OpenSSL cannot be used: " + take_reason()};
  if (auto status = prepare(context.get(), trust); !status) return status.error();
  TlsClient client(host);
  client.ssl_.reset(SSL_new(context.get()));
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  if (!client.ssl_ || in == nullptr || out == nullptr || !expect_host(client.ssl_.get(), host)) {
    BIO_free(in);
    BIO_free(out);
    return Error{ErrorCode::kIo, "OpenSSL cannot be used: " + take_reason()};
  }
  SSL_set_bio(client.ssl_.get(), in, out);
  SSL_set_connect_state(client.ssl_.get());
  return client;
}

storage::Result<TlsClient::Handshake> TlsClient::shake_hands(std::string& out) {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  take_output(out);
  if (result == 1) return Handshake::kDone;
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) return Handshake::kGoesOn;
  return fault();
}

void TlsClient::feed(std::string_view came) {
  // A memory BIO takes all; sizes are those of one read.
  BIO_write(SSL_get_rbio(ssl_.get()), came.data(), static_cast<int>(came.size()));
}

storage::Result<TlsClient::End> TlsClient::open(const Sink& sink) {
  if (fault_) return *fault_;
  std::array<char, 16 * 1024> room;
  for (;;) {
    ERR_clear_error();
    std::size_t size = 0;
    const int result = SSL_read_ex(ssl_.get(), room.data(), room.size(), &size);
    if (result == 1) {
      sink({room.data(), size});
      continue;
    }
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ: return End::kNone;
      case SSL_ERROR_ZERO_RETURN: return End::kOrderly;
      default: return fault();
    }
  }
}

storage::Status TlsClient::seal(std::string_view bytes, std::string& out) {
  if (!bytes.empty()) {
    ERR_clear_error();
    std::size_t written = 0;
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) != 1) return fault();
  }
  take_output(out);
  return storage::kOk;
}

void TlsClient::take_output(std::string& out) {
  BIO* const bio = SSL_get_wbio(ssl_.get());
  const std::size_t had = out.size();
  out.resize(had + BIO_ctrl_pending(bio));
  const int size = static_cast<int>(out.size() - had);
  if (size > 0) BIO_read(bio, out.data() + had, size);
}

Error TlsClient::fault() {
  if (!fault_) fault_ = describe_fault();
  return *fault_;
}

Error TlsClient::describe_fault() const {
  const int code = ERR_GET_REASON(ERR_peek_error());
  const std::string reason = take_reason();
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (code == SSL_R_CERTIFICATE_VERIFY_FAILED &&
      (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)) {
    return {ErrorCode::kIo, "the broker's certificate is not made out to '" + host_ +
                                "': connect by the name that stands in it"};
  }
  if (code == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    return {ErrorCode::kIo, std::string("the broker's certificate is not trusted (") +
                                X509_verify_cert_error_string(verdict) +
                                "): name who signs for it with --tls-authorities"};
  }
  if (code == SSL_R_WRONG_VERSION_NUMBER || code == SSL_R_HTTP_REQUEST) {
    return {ErrorCode::kIo, "the broker does not speak TLS on that port: use tcp://"};
  }
  if (code == SSL_AD_REASON_OFFSET + TLS13_AD_CERTIFICATE_REQUIRED ||
      code == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE || code == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE ||
      code == SSL_R_TLSV1_ALERT_UNKNOWN_CA) {
    return {ErrorCode::kIo,
            "the broker refuses this client without a certificate that it "
            "trusts (" +
                reason + "): name one with --tls-certificate and --tls-key"};
  }
  return {ErrorCode::kIo, "TLS with the broker failed: " + reason};
}

}  // namespace stompbox::client

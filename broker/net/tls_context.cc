#include "broker/net/tls_context.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <string>
#include <string_view>
#include <system_error>

namespace stompbox::net {
namespace {

using storage::Error;
using storage::ErrorCode;

constexpr std::string_view kSessionContext = "stompbox";

Error invalid(std::string sentence) {
  return Error{ErrorCode::kInvalid, std::move(sentence)};
}

// What OpenSSL noted first, which is nearest to the cause; the notes are gone then.
std::string take_reason() {
  const unsigned long code = ERR_peek_error();
  const char* const text = ERR_reason_error_string(code);
  ERR_clear_error();
  return text != nullptr ? text : "unknown reason";
}

// A key with a passphrase is refused: there is nobody who could be asked.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

storage::Status check_readable(std::string_view what, const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file >= 0) {
    ::close(file);
    return storage::kOk;
  }
  const int error = errno;
  std::string sentence = "the file of the ";
  sentence.append(what).append(" '").append(path).append("' cannot be read: ");
  sentence += std::generic_category().message(error);
  if (error == EACCES) sentence += "; give the broker's user the right to read it";
  const ErrorCode code = error == EACCES   ? ErrorCode::kDenied
                         : error == ENOENT ? ErrorCode::kNotFound
                                           : ErrorCode::kIo;
  return Error{code, std::move(sentence)};
}

std::string date_of(const ASN1_TIME* time) {
  std::tm date{};
  if (ASN1_TIME_to_tm(time, &date) != 1) return "an unreadable date";
  std::string text(32, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &date));
  return text;
}

storage::Status check_dates(const X509* certificate, const std::string& path) {
  const ASN1_TIME* const end = X509_get0_notAfter(certificate);
  if (X509_cmp_current_time(end) < 0) {
    return invalid("the certificate '" + path + "' has expired on " + date_of(end) +
                   ": get a new one, or set the clock");
  }
  const ASN1_TIME* const begin = X509_get0_notBefore(certificate);
  if (X509_cmp_current_time(begin) > 0) {
    return invalid("the certificate '" + path + "' is not valid before " + date_of(begin) +
                   ": wait for it, or set the clock");
  }
  return storage::kOk;
}

storage::Status use_certificate(SSL_CTX* context, const TlsOptions& options) {
  const std::string& path = options.certificate;
  if (auto status = check_readable("certificate", path); !status) return status;
  if (SSL_CTX_use_certificate_chain_file(context, path.c_str()) != 1) {
    return invalid("the certificate '" + path + "' is not used: " + take_reason() +
                   "; it has to be PEM text (-----BEGIN CERTIFICATE-----), the broker's own "
                   "certificate first");
  }
  return check_dates(SSL_CTX_get0_certificate(context), path);
}

storage::Status use_key(SSL_CTX* context, const TlsOptions& options) {
  const std::string& path = options.key.empty() ? options.certificate : options.key;
  if (auto status = check_readable("key", path); !status) return status;
  bool asked = false;
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
  const bool read = SSL_CTX_use_PrivateKey_file(context, path.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  const bool other_key = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH ||
                         ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_TYPE_MISMATCH;
  if (read && SSL_CTX_check_private_key(context) == 1) return storage::kOk;
  if (asked) {
    ERR_clear_error();
    return invalid("the key '" + path +
                   "' needs a passphrase, and the broker can ask nobody: store it without one "
                   "(openssl pkey -in OLD -out NEW) and let only the broker read it");
  }
  if (read || other_key) {
    ERR_clear_error();
    return invalid("the key '" + path + "' does not belong to the certificate '" +
                   options.certificate + "': name the key that it was made with");
  }
  return invalid("the key '" + path + "' is not used: " + take_reason() +
                 "; it has to be PEM text (-----BEGIN PRIVATE KEY-----)");
}

storage::Status use_authorities(SSL_CTX* context, const TlsOptions& options) {
  if (options.clients == ClientCertificates::kNone) return storage::kOk;
  const std::string& path = options.authorities;
  if (path.empty()) {
    return invalid(
        "client certificates are asked for, but nobody is named who signs them: give the "
        "authorities' file (tls.authorities)");
  }
  if (auto status = check_readable("authorities", path); !status) return status;
  STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(path.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(context, path.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return invalid("the authorities '" + path + "' are not used: " + take_reason() +
                   "; the file has to be PEM text with the certificates of who signs for clients");
  }
  SSL_CTX_set_client_CA_list(context, names);  // owns them
  const bool required = options.clients == ClientCertificates::kRequired;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  return storage::kOk;
}

// In TLS 1.2 tickets resume sessions without memory of ours; a cache is not kept.
bool set_rules(SSL_CTX* context, TlsVersion lowest) {
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // Those of 1.3 come behind the handshake. Clients that read in one thread and write in another
  // (python3-stomp) may lose their CONNECT then, and nobody needs to resume what lasts for days.
  SSL_CTX_set_num_tickets(context, 0);
  const auto* const id = reinterpret_cast<const unsigned char*>(kSessionContext.data());
  const int version = lowest == TlsVersion::k13 ? TLS1_3_VERSION : TLS1_2_VERSION;
  return SSL_CTX_set_min_proto_version(context, version) == 1 &&
         SSL_CTX_set_session_id_context(context, id,
                                        static_cast<unsigned>(kSessionContext.size())) == 1;
}

}  // namespace

storage::Result<TlsContext> TlsContext::load(const TlsOptions& options) {
  ERR_clear_error();
  if (options.certificate.empty()) {
    return invalid("TLS needs a certificate: name its file (tls.certificate)");
  }
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context || !set_rules(context.get(), options.lowest)) {
    return Error{ErrorCode::kIo, "OpenSSL cannot be used: " + take_reason()};
  }
  if (auto status = use_certificate(context.get(), options); !status) return status.error();
  if (auto status = use_key(context.get(), options); !status) return status.error();
  if (auto status = use_authorities(context.get(), options); !status) return status.error();
  return TlsContext(std::move(context));
}

}  // namespace stompbox::net

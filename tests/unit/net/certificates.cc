#include "tests/unit/net/certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>

#include <doctest/doctest.h>

namespace stompbox::net::testing {
namespace {

template <typename T, void (*kFree)(T*)>
struct Free {
  void operator()(T* object) const { kFree(object); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Free<X509, X509_free>>;
struct FileClose {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, FileClose>;

FilePtr open_file(const std::string& path, const char* mode) {
  FilePtr file(std::fopen(path.c_str(), mode));
  REQUIRE(file);
  return file;
}

void add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  REQUIRE(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

KeyPtr read_key(const std::string& path) {
  return KeyPtr(PEM_read_PrivateKey(open_file(path, "r").get(), nullptr, nullptr, nullptr));
}

}  // namespace

Certificate make_certificate(const std::string& folder, const Wanted& wanted,
                             const Certificate* signer) {
  const KeyPtr key(wanted.key == KeyKind::kEc ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048));
  const X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  static long serial = 0;
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), wanted.begins_in_seconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), wanted.ends_in_seconds);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  const auto add = [subject](const char* field, const std::string& value) {
    X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(value.c_str()), -1, -1, 0);
  };
  if (!wanted.general_name.empty()) add("CN", wanted.general_name);
  add("O", "Example");
  add("CN", wanted.name);
  X509Ptr issuer;
  KeyPtr issuer_key;
  if (signer != nullptr) {
    issuer.reset(
        PEM_read_X509(open_file(signer->certificate_file, "r").get(), nullptr, nullptr, nullptr));
    issuer_key = read_key(signer->key_file);
    REQUIRE(issuer);
  }
  X509* const by = issuer ? issuer.get() : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(by));
  add_extension(certificate.get(), by, NID_basic_constraints, issuer ? "CA:FALSE" : "CA:TRUE");
  if (!wanted.alternatives.empty()) {
    add_extension(certificate.get(), by, NID_subject_alt_name, wanted.alternatives);
  }
  X509_sign(certificate.get(), issuer_key ? issuer_key.get() : key.get(), EVP_sha256());
  Certificate made{folder + "/" + wanted.name + ".pem", folder + "/" + wanted.name + ".key"};
  PEM_write_X509(open_file(made.certificate_file, "w").get(), certificate.get());
  PEM_write_PrivateKey(open_file(made.key_file, "w").get(), key.get(), nullptr, nullptr, 0, nullptr,
                       nullptr);
  return made;
}

std::string lock_key(const Certificate& certificate, const std::string& passphrase) {
  const KeyPtr key = read_key(certificate.key_file);
  const std::string path = certificate.key_file + ".locked";
  PEM_write_PrivateKey(open_file(path, "w").get(), key.get(), EVP_aes_256_cbc(),
                       reinterpret_cast<const unsigned char*>(passphrase.data()),
                       static_cast<int>(passphrase.size()), nullptr, nullptr);
  return path;
}

}  // namespace stompbox::net::testing

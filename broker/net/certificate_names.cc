#include "broker/net/certificate_names.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>

namespace stompbox::net {
namespace {

constexpr unsigned char kBlank = 0x20;
constexpr unsigned char kDelete = 0x7f;

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < kBlank || byte == kDelete;
  });
}

std::string subject_of(const X509* certificate) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  // Letters beyond ASCII stay as they are.
  constexpr unsigned long kForm =
      XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  const X509_NAME* const name = X509_get_subject_name(certificate);
  if (!out || X509_NAME_print_ex(out.get(), name, 0, kForm) < 0) return {};
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(std::max(size, 0L))};
}

std::optional<std::string> text_of(const ASN1_STRING* string) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, string);
  if (size < 0) return std::nullopt;
  std::string text(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  if (text.empty() || has_control(text)) return std::nullopt;
  return text;
}

// The certificate has them from the general to the specific.
std::string common_name_of(const X509* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  int last = -1;
  for (int at = last; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
    last = at;
  if (last < 0) return {};
  const ASN1_STRING* const value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last));
  return text_of(value).value_or("");
}

std::vector<std::string> alternative_names_of(const X509* certificate) {
  std::vector<std::string> names;
  void* const found = X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr);
  auto* const all = static_cast<GENERAL_NAMES*>(found);
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    int type = 0;
    void* const value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(all, i), &type);
    if (type != GEN_DNS && type != GEN_EMAIL && type != GEN_URI) continue;
    auto name = text_of(static_cast<const ASN1_STRING*>(value));
    if (name && std::find(names.begin(), names.end(), *name) == names.end()) {
      names.push_back(std::move(*name));
    }
  }
  GENERAL_NAMES_free(all);
  return names;
}

}  // namespace

CertificateNames names_of(const X509* certificate) {
  CertificateNames found;
  found.subject = subject_of(certificate);
  if (has_control(found.subject)) found.subject.clear();
  found.common_name = common_name_of(certificate);
  found.alternative_names = alternative_names_of(certificate);
  ERR_clear_error();
  return found;
}

}  // namespace stompbox::net

#pragma once

#include <string>
#include <vector>

struct x509_st;

namespace stompbox::net {

// Who a certificate is for. A name with a NUL or another control character in it is left out: it
// is made to be read as another.
struct CertificateNames {
  std::string subject;      // RFC 2253 text, UTF-8: "CN=node1,O=Example"
  std::string common_name;  // its CN; of several the most specific, which that text has first
  std::vector<std::string> alternative_names;  // each DNS, mail and URI name, once
};

[[nodiscard]] CertificateNames names_of(const x509_st* certificate);

}  // namespace stompbox::net

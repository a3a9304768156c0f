#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/access/options.h"
#include "storage/result.h"

namespace stompbox::access {

// What a verified client certificate says of who shows it. Empty: it says nothing of the kind.
struct Certificate {
  std::string_view subject;  // RFC 2253 text, "CN=node1,O=Example"
  std::string_view common_name;
  std::span<const std::string> alternative_names;
};

// Whom a certificate logs in (AccessOptions::certificate_login and certificate_users).
class CertificateMap {
 public:
  // kInvalid: an entry that is not "PATTERN -> USER" with one `*` at most on either side.
  [[nodiscard]] static storage::Result<CertificateMap> make(CertificateLogin login,
                                                            std::span<const std::string> entries);

  // The user; nothing: it logs nobody in.
  [[nodiscard]] std::optional<std::string> user_of(const Certificate& certificate) const;

 private:
  // A text around a star; without one it is all in `begin`.
  struct Starred {
    std::string begin;
    std::string end;
    bool has_star = false;
  };
  struct Entry {
    Starred pattern;
    Starred user;
  };
  [[nodiscard]] static Starred part(std::string_view text);
  [[nodiscard]] std::optional<std::string> map(std::string_view text) const;

  CertificateLogin login_ = CertificateLogin::kOff;
  std::vector<Entry> entries_;
};

}  // namespace stompbox::access

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/access/options.h"
#include "storage/result.h"

namespace stompbox::access {

// Of a subject as RFC 2253 text ("CN=node1,O=Example"), with its escapes undone; empty without one.
// Of several the first in the text, which is the most specific.
[[nodiscard]] std::string common_name(std::string_view subject);

// What a verified client certificate says of who shows it.
struct Certificate {
  std::string_view subject;
  std::span<const std::string> names;  // its CN and all alternative names
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

#include "broker/access/check_files.h"

#include "broker/access/certificate.h"
#include "broker/access/rules_file.h"
#include "broker/access/users_file.h"

namespace stompbox::access {

std::string fault_of_nobody(const AccessOptions& options, std::size_t user_count) {
  const bool by_certificate = options.certificate_login != CertificateLogin::kOff;
  if (options.users_file.empty() || user_count > 0 || by_certificate) return {};
  return "the users file " + options.users_file +
         " has no users, so that nobody could log in: add one with 'stompbox passwd NAME --users " +
         options.users_file + "'";
}

std::vector<std::string> check_files(const AccessOptions& options) {
  std::vector<std::string> mistakes;
  if (const auto users = load_users(options); !users) {
    mistakes.push_back(users.error().text);
  } else if (std::string fault = fault_of_nobody(options, users->users.count()); !fault.empty()) {
    mistakes.push_back(std::move(fault));
  }
  if (!options.rules_file.empty()) {
    if (const auto rules = load_rules(options.rules_file); !rules) {
      mistakes.push_back(rules.error().text);
    }
  }
  const auto map = CertificateMap::make(options.certificate_login, options.certificate_users);
  if (!map) mistakes.push_back("access.certificate_users: " + map.error().text);
  return mistakes;
}

}  // namespace stompbox::access

#include "broker/options/options.h"

#include <grp.h>
#include <pwd.h>

#include <string_view>

#include "broker/access/certificate.h"
#include "broker/access/check_files.h"
#include "broker/net/listen_address.h"
#include "broker/options/listener_text.h"

namespace stompbox::options {
namespace {

using storage::Error;
using storage::ErrorCode;

std::string in_data_folder(const Options& options, std::string_view name) {
  std::string path = options.data_folder;
  if (!path.ends_with('/')) path += '/';
  return path.append(name);
}

Error invalid(std::string sentence) {
  return Error{ErrorCode::kInvalid, std::move(sentence)};
}

std::string as_lines(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences)
    text += (text.empty() ? "" : "\n") + sentence;
  return text;
}

using Sentences = std::vector<std::string>;

bool asks_for_certificates(const net::ListenerOptions& listener) {
  const net::Scheme scheme = listener.address.scheme;
  return scheme != net::Scheme::kTcp && scheme != net::Scheme::kWs &&
         listener.tls.clients != net::ClientCertificates::kNone;
}

// Certificates that nobody asks for are shown by nobody, and prove nothing.
void check_certificates(const Options& options, Sentences& mistakes) {
  if (!options.tls.authorities.empty()) {
    mistakes.emplace_back(
        "tls.authorities says who signs client certificates, but no listener asks for them: say "
        "--tls-clients wish or require");
  }
  const bool by_certificate_only =
      options.access.certificate_login != access::CertificateLogin::kOff &&
      options.access.users_file.empty() && options.access.plain_users_file.empty();
  if (by_certificate_only) {
    mistakes.emplace_back(
        "nobody could log in: there is no users file, and for access.certificate_login no listener "
        "asks for certificates");
  }
}

void check_listeners(const Options& options, Sentences& mistakes) {
  if (options.listen.empty()) {
    mistakes.emplace_back("there is no address to listen on: give --listen");
  }
  bool any_asks = false;
  for (const std::string& text : options.listen) {
    const auto listener = parse_listener(text, options);
    if (!listener) {
      mistakes.push_back(listener.error().text);
      any_asks = true;  // perhaps: one mistake at a time
      continue;
    }
    any_asks = any_asks || asks_for_certificates(*listener);
    const bool open = net::reach_of(listener->address) == net::Reach::kOtherMachines &&
                      !access::asks_who(options.access) && !options.access.anonymous_from_anywhere;
    if (!open) continue;
    mistakes.push_back("other machines can reach " + text +
                       " and nobody would be asked for a passcode: name a users file with "
                       "--users, or say --allow-anonymous-from-anywhere");
  }
  if (!any_asks) check_certificates(options, mistakes);
}

void check_bounds(const Options& options, Sentences& mistakes) {
  const session::SessionOptions& session = options.session;
  if (session.outbox_bytes_soft > session.outbox_bytes_max) {
    mistakes.emplace_back("session.outbox_soft is larger than session.outbox_max");
  }
  if (session.limits.body_bytes_max > options.net.inbound_bytes_max) {
    mistakes.emplace_back(
        "limits.body_max is larger than listen.inbound_max, so that no such message could come in");
  }
  if (options.drain.retry_first > options.drain.retry_max) {
    mistakes.emplace_back("drain.retry_first is longer than drain.retry_max");
  }
}

void check_access(const Options& options, Sentences& mistakes) {
  const access::AccessOptions& access = options.access;
  if (!access.certificate_users.empty() &&
      access.certificate_login == access::CertificateLogin::kOff) {
    mistakes.emplace_back(
        "access.certificate_users says whom certificates log in, but access.certificate_login is "
        "off");
  }
  const auto map = access::CertificateMap::make(access.certificate_login, access.certificate_users);
  if (!map) mistakes.push_back("access.certificate_users: " + map.error().text);
}

void check_drain(const Options& options, Sentences& mistakes) {
  const auto& drain = options.drain;
  if (!drain.catalog_queue.empty() && drain.catalog_queue == drain.facts_queue) {
    mistakes.emplace_back("drain.catalog_queue and drain.facts_queue name the same queue");
  }
  if (options.routing.dead_letter_queue.empty()) {
    mistakes.emplace_back("routing.dead_letter_queue needs a name");
  } else if (drain.catalog_queue == options.routing.dead_letter_queue ||
             drain.facts_queue == options.routing.dead_letter_queue) {
    mistakes.emplace_back("the dead-letter queue cannot be drained into the catalog store");
  }
}

// With the name alone every queue would be one of dead letters.
void check_letters(const Options& options, Sentences& mistakes) {
  const auto check_name = [&mistakes](const std::string& where, const std::string& name) {
    if (name.empty() || name.find_first_not_of('*') != std::string::npos) return;
    mistakes.push_back(where + "dead_letter_queue is " + name +
                       ", the queue itself: dead letters need another one, such as *.dead");
  };
  check_name("queues.", options.routing.queue_policy.dead_letter_queue);
  for (const routing::PolicyRule& rule : options.routing.policies)
    check_name("policy " + rule.pattern + ": ", rule.dead_letter_queue.value_or(""));
}

// Users and groups of the system that the options name.
void check_owner(const catalog::SqliteOptions& store, Sentences& mistakes) {
  if (store.owner && ::getpwnam(store.owner->c_str()) == nullptr) {
    mistakes.push_back("catalog.owner: this machine has no user " + *store.owner);
  }
  if (store.group && ::getgrnam(store.group->c_str()) == nullptr) {
    mistakes.push_back("catalog.group: this machine has no group " + *store.group);
  }
}

}  // namespace

std::string queue_folder(const Options& options) {
  return options.ephemeral ? std::string() : in_data_folder(options, "queue");
}

std::string control_socket_path(const Options& options) {
  if (options.control_socket == "none") return {};
  if (options.control_socket != "auto") return options.control_socket;
  return options.ephemeral ? std::string() : in_data_folder(options, "control.sock");
}

storage::Result<catalog::CatalogPlace> catalog_place(const Options& options) {
  catalog::CatalogPlace place;
  place.sqlite = options.sqlite;
  place.mysql = options.mysql;
  place.mysql.lock_timeout = options.sqlite.busy_timeout;
  place.mysql.transaction_max = options.sqlite.lock_max;
  place.mysql.full_compare_every = options.sqlite.full_compare_every;
  place.mysql.thin = options.sqlite.thin;
  if (options.catalog_store != "auto") {
    return catalog::parse_catalog_place(options.catalog_store, place);
  }
  if (options.ephemeral) return place;
  place.kind = catalog::PlaceKind::kSqlite;
  place.sqlite.path = in_data_folder(options, "storeconfigs.sqlite3");
  return place;
}

storage::Status check(const Options& options) {
  Sentences mistakes;
  if (options.data_folder.empty() && !options.ephemeral) {
    mistakes.emplace_back("the data folder needs a name: give --data");
  }
  if (const auto place = catalog_place(options); !place) mistakes.push_back(place.error().text);
  check_listeners(options, mistakes);
  check_bounds(options, mistakes);
  check_access(options, mistakes);
  check_drain(options, mistakes);
  check_letters(options, mistakes);
  if (mistakes.empty()) return storage::kOk;
  return invalid(as_lines(mistakes));
}

storage::Status check_world(const Options& options) {
  Sentences mistakes = access::check_files(options.access);
  check_owner(options.sqlite, mistakes);
  if (mistakes.empty()) return storage::kOk;
  return invalid(as_lines(mistakes));
}

}  // namespace stompbox::options

#include "broker/options/options.h"

#include <string_view>

#include "broker/net/listen_address.h"

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

storage::Status check_listeners(const Options& options) {
  if (options.listen.empty()) return invalid("there is no address to listen on: give --listen");
  for (const std::string& text : options.listen) {
    const auto address = net::parse_listen_address(text);
    if (!address) return address.error();
    const bool open = net::reach_of(*address) == net::Reach::kOtherMachines &&
                      options.access.users_file.empty() && !options.access.anonymous_from_anywhere;
    if (!open) continue;
    return invalid("other machines can reach " + text +
                   " and nobody would be asked for a passcode: name a users file with --users, or "
                   "say --allow-anonymous-from-anywhere");
  }
  return storage::kOk;
}

storage::Status check_bounds(const Options& options) {
  const session::SessionOptions& session = options.session;
  if (session.outbox_bytes_soft > session.outbox_bytes_max) {
    return invalid("session.outbox_soft is larger than session.outbox_max");
  }
  if (session.limits.body_bytes_max > options.net.inbound_bytes_max) {
    return invalid(
        "limits.body_max is larger than listen.inbound_max, so that no such message could come in");
  }
  if (options.drain.retry_first > options.drain.retry_max) {
    return invalid("drain.retry_first is longer than drain.retry_max");
  }
  return storage::kOk;
}

storage::Status check_drain(const Options& options) {
  const auto& drain = options.drain;
  if (!drain.catalog_queue.empty() && drain.catalog_queue == drain.facts_queue) {
    return invalid("drain.catalog_queue and drain.facts_queue name the same queue");
  }
  if (options.routing.dead_letter_queue.empty()) {
    return invalid("routing.dead_letter_queue needs a name");
  }
  if (drain.catalog_queue == options.routing.dead_letter_queue ||
      drain.facts_queue == options.routing.dead_letter_queue) {
    return invalid("the dead-letter queue cannot be drained into the catalog store");
  }
  return storage::kOk;
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

storage::Result<std::string> sqlite_path(const Options& options) {
  constexpr std::string_view kSqlite = "sqlite:";
  const std::string& store = options.catalog_store;
  if (store == "none") return std::string();
  if (store == "auto") {
    return options.ephemeral ? std::string() : in_data_folder(options, "storeconfigs.sqlite3");
  }
  if (store.starts_with(kSqlite) && store.size() > kSqlite.size()) {
    return store.substr(kSqlite.size());
  }
  return invalid("there is no catalog store '" + store + "': it is sqlite:FILE, auto or none");
}

storage::Status check(const Options& options) {
  if (options.data_folder.empty() && !options.ephemeral) {
    return invalid("the data folder needs a name: give --data");
  }
  if (const auto path = sqlite_path(options); !path) return path.error();
  if (auto status = check_listeners(options); !status) return status;
  if (auto status = check_bounds(options); !status) return status;
  return check_drain(options);
}

}  // namespace stompbox::options

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/access/options.h"
#include "broker/drain/options.h"
#include "broker/log/log.h"
#include "broker/net/options.h"
#include "broker/routing/options.h"
#include "broker/session/options.h"
#include "storage/catalog/sqlite_options.h"
#include "storage/queue/options.h"
#include "storage/result.h"

// All that the broker can be told, from flags, the configuration file and defaults, in that order.
namespace stompbox::options {

struct Options {
  std::string config_file;  // what was read; empty: none
  std::string data_folder = "./var";
  bool ephemeral = false;  // no data folder: queues in memory, no catalog store unless named
  std::vector<std::string> listen = {"tcp://127.0.0.1:61613"};
  std::string ready_file;               // empty: none
  std::string control_socket = "auto";  // in the data folder; "none"
  std::string catalog_store = "auto";   // in the data folder; "none"; "sqlite:FILE"

  log::LogOptions log;
  access::AccessOptions access;
  net::NetOptions net;
  session::SessionOptions session;
  routing::RoutingOptions routing;
  queue::StoreOptions store;  // path: made by the server
  queue::JournalOptions journal;
  drain::DrainOptions drain;
  catalog::SqliteOptions sqlite;  // path: made by the server
};

// Where things are, by the rules above; empty: there is none.
[[nodiscard]] std::string queue_folder(const Options& options);
[[nodiscard]] std::string control_socket_path(const Options& options);
// kInvalid for a kind of store that does not exist.
[[nodiscard]] storage::Result<std::string> sqlite_path(const Options& options);

// What no single value shows: listeners that anybody can reach, bounds that contradict each other.
[[nodiscard]] storage::Status check(const Options& options);

}  // namespace stompbox::options

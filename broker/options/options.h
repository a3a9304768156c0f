#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker/access/options.h"
#include "broker/drain/options.h"
#include "broker/log/log.h"
#include "broker/net/listener_options.h"
#include "broker/net/options.h"
#include "broker/routing/options.h"
#include "broker/session/options.h"
#include "storage/catalog/catalog_place.h"
#include "storage/queue/options.h"
#include "storage/result.h"

// All that the broker can be told, from flags, the configuration file and defaults, in that order.
namespace stompbox::options {

// What StompServer's /queue/monitor tells of a queue (fact 3.6).
enum class MonitorFields : std::uint8_t {
  kStandard,    // size, enqueued, dequeued
  kExceptions,  // and how often a message came back, as stompserver_ng has it
  kAll,         // and consumers, age of the oldest message in seconds
};

struct Options {
  std::string config_file;  // what was read; empty: none
  std::string data_folder = "./var";
  bool ephemeral = false;  // no data folder: queues in memory, no catalog store unless named
  std::vector<std::string> listen = {"tcp://127.0.0.1:61613"};
  std::vector<std::string> origins;     // of web pages; empty: those of the listener's own host
  std::string ready_file;               // empty: none
  std::string control_socket = "auto";  // in the data folder; "none"
  bool exit_with_parent = false;        // for those who start a broker of their own
  bool exit_when_stdin_closes = false;
  std::string catalog_store = "auto";  // in the data folder; or as catalog_place.h has it

  log::LogOptions log;
  access::AccessOptions access;
  net::NetOptions net;
  net::TlsOptions tls;  // where a listener does not say otherwise
  session::SessionOptions session;
  routing::RoutingOptions routing;
  queue::StoreOptions store;  // path: made by the server
  queue::JournalOptions journal;
  drain::DrainOptions drain;
  drain::SourceOptions source;    // of `stompbox drain`
  catalog::SqliteOptions sqlite;  // without its path; times, scope: of any kind of store
  catalog::MysqlOptions mysql;    // where catalog_store does not say otherwise
  MonitorFields monitor_fields = MonitorFields::kStandard;
};

// Where things are, by the rules above; empty: there is none.
[[nodiscard]] std::string queue_folder(const Options& options);
[[nodiscard]] std::string control_socket_path(const Options& options);
// kInvalid for a kind of store that does not exist.
[[nodiscard]] storage::Result<catalog::CatalogPlace> catalog_place(const Options& options);

// What no single value shows: listeners that anybody can reach, bounds that contradict each other.
// Every mistake is a line.
[[nodiscard]] storage::Status check(const Options& options);

// What only this machine shows: users and rules files, owner and group of the database. The same
// way.
[[nodiscard]] storage::Status check_world(const Options& options);

}  // namespace stompbox::options

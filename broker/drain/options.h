#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "storage/catalog/reading/read_catalog.h"

namespace stompbox::drain {

// How the crash ledger knows a message again.
enum class LedgerKeys : std::uint8_t {
  kMessageIds,  // this broker's, which stay
  kBodies,      // a digest of the body: other brokers number a message anew at each delivery
};

struct DrainOptions {
  std::string catalog_queue = "catalog";  // empty: off
  std::string facts_queue = "facts";      // empty: off
  // What may be in the drain at once, so that there is something to coalesce (DESIGN §4). When both
  // queues are drained, facts take a quarter of it.
  std::size_t window_count = 256;
  std::size_t window_bytes = 12 * 1024 * 1024;
  std::chrono::milliseconds retry_first{250};  // after a transient error of the database
  std::chrono::milliseconds retry_max{30'000};
  // How often it is looked whether somebody else takes from the same queue.
  std::chrono::milliseconds competition_check{5'000};
  // A message that was in the drain at so many unclean exits of the process is dead-lettered.
  unsigned crash_count_max = 3;
  // Threads that read messages and, where the database takes several writers, save them; 0: a
  // quarter of the cores, 1 to 8.
  std::size_t workers = 0;
  // Nodes of which nothing has come for so long are forgotten; 0: none.
  std::chrono::milliseconds forget_after{0};
  LedgerKeys ledger_keys = LedgerKeys::kMessageIds;
  catalog::reading::ReadOptions read;
};

// The stage alone: the broker that it takes from, which speaks STOMP of any version.
struct SourceOptions {
  std::string url;    // stomp://USER@HOST:PORT,HOST2:PORT2/queue/catalog
  std::string facts;  // destination of the facts; empty: none are taken
  std::string user;   // empty: that of the URL
  std::string passcode_file;
  std::string
      passcode;  // what a face has read; no option, for it would be seen in the process list
  std::string virtual_host = "/";
  std::string dead_letters;  // destination; empty: by the kind of the broker
  std::chrono::milliseconds beat{10'000};
  // In trouble of the database what was taken is held for so long, then the broker may give it to
  // somebody else.
  std::chrono::milliseconds hold_max{10'000};
  std::chrono::milliseconds retry_max{30'000};  // between two rounds through the brokers
  std::string tls_authorities, tls_certificate, tls_key;
};

}  // namespace stompbox::drain

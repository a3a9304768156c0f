#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "broker/verbs/bench_load.h"
#include "broker/verbs/latencies.h"
#include "broker/verbs/login.h"
#include "broker/verbs/output.h"
#include "broker/verbs/terminal.h"

namespace stompbox::verbs {

struct BenchOptions {
  Login login;
  std::uint64_t messages = 100'000;
  std::size_t size_bytes = 1024;
  std::size_t producers = 1;
  std::size_t consumers = 1;
  BenchPersistence persistence = BenchPersistence::kVolatile;
  std::string destination;  // empty: a queue of its own, which is empty at the end
  std::uint64_t rate = 0;   // messages a second in all; 0: as fast as they go
  Output output = Output::kTable;
};

// Sends and receives at any STOMP broker, each client a process of its own, and prints how fast it
// went. kFailed unless every message came, to each consumer in case of a topic.
[[nodiscard]] Exit bench(const BenchOptions& options);

struct BenchFigures {
  std::string server;                     // what the broker calls itself; may be empty
  std::string destination;                // where it went
  std::chrono::nanoseconds sending{0};    // from the beginning to the last SEND
  std::chrono::nanoseconds receiving{0};  // from the beginning to the last MESSAGE
  std::uint64_t received = 0;
  Latencies latencies;  // from SEND, or from when it was due, to MESSAGE
};
[[nodiscard]] std::string show_bench(const BenchFigures& figures, const BenchOptions& options);

}  // namespace stompbox::verbs

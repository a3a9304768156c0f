#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "broker/control/control.h"
#include "broker/drain/drain.h"
#include "broker/routing/router.h"

namespace stompbox::control {

// What the control door can be asked: status, queues, browse, dead-letters. Answers from the router's
// and the drain's figures; dead-letter verbs act as one more consumer of the dead-letter queue.
// Loop thread only. References outlive the desk; `drain` may be null.
struct ServerFacts {  // what only the server knows, asked for at each status
  std::uint64_t connections = 0;
  std::uint64_t connections_total = 0;
  std::int64_t started_ms = 0;
  std::string version, data_folder, store_description, catalog_description, mode;
  std::vector<std::string> listeners;
};

class Desk {
 public:
  Desk(routing::Router& router, drain::Drain* drain, std::function<ServerFacts()> facts,
       std::function<std::int64_t()> wall_ms);
  ~Desk();

  void handle(std::string_view request, Answer answer);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stompbox::control

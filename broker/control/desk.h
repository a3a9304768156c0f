#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/control/control.h"
#include "broker/drain/drain.h"
#include "broker/routing/router.h"

namespace stompbox::control {

struct ServerFacts {  // what only the server knows, asked for at each status
  std::uint64_t connections = 0;
  std::uint64_t connections_total = 0;
  std::int64_t started_ms = 0;
  std::string version, data_folder, store_description, catalog_description, mode;
  std::vector<std::string> listeners;
  std::string dead_letter_queue = "dead-letter";
  std::string catalog_queue = "catalog";
  std::string store_identity;  // of the queue store: what arrivals in the catalog database name
};

// What the control door can be asked, one JSON object a request (README.md has the forms):
//   {"verb":"status"}  {"verb":"queues"}  {"verb":"browse","queue":NAME,...}
//   {"verb":"dead-letters","action":"list|replay|drop",...}  {"verb":"reset"}
//   {"verb":"purge","queue":NAME}  {"verb":"move","from":NAME,"to":NAME}
//   {"verb":"delete","queue":NAME}  {"verb":"newest"}
// Answers from the router's and the drain's figures; replay and drop act as one more consumer of
// the dead-letter queue. Loop thread only. References outlive the desk; `drain` may be null.
class Desk {
 public:
  // `wake` arranges for an on_wake() soon, and calls nothing of the desk or the router: it is
  // called in the middle of the router's work.
  Desk(routing::Router& router, drain::Drain* drain, std::function<ServerFacts()> facts,
       std::function<std::int64_t()> wall_ms, std::function<void()> wake);
  ~Desk();

  // Answered once, possibly later. An answer after the desk is gone never comes.
  void handle(std::string_view request, Answer answer);
  void on_wake();
  // About once a second, at least while busy(): ends what got stuck.
  void on_tick();
  [[nodiscard]] bool busy() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stompbox::control

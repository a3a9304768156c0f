#pragma once

#include <functional>
#include <string>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "broker/control/control.h"
#include "broker/control/desk.h"
#include "storage/result.h"

namespace stompbox {

// The control door with the desk behind it and the desk's timer. Loop thread only.
class ControlStage {
 public:
  // References outlive this; `io` is not run afterwards. `drain` may be null.
  ControlStage(asio::io_context& io, const std::string& socket_path, routing::Router& router,
               drain::Drain* drain, std::function<control::ServerFacts()> facts);

  [[nodiscard]] storage::Status open() { return door_.open(); }
  void close();

 private:
  void tick_while_busy();

  asio::io_context& io_;
  asio::steady_timer timer_;
  bool ticking_ = false;
  bool closed_ = false;
  control::Desk desk_;
  control::ControlDoor door_;
};

}  // namespace stompbox

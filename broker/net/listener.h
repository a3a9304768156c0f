#pragma once

#include <system_error>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include "broker/log/repeats.h"
#include "broker/net/connections.h"
#include "broker/net/entrance.h"
#include "broker/net/listen_address.h"
#include "storage/result.h"

namespace stompbox::net {

// One address that peers connect to. When descriptors run out, a spare one is given up for a moment
// so that the peer is closed at once instead of hanging, and accepting pauses. Loop thread only.
class Listener {
 public:
  // References outlive this. `io` is not run after this has been destroyed.
  Listener(asio::io_context& io, Connections& connections, Entrance& entrance);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // At the entrance's address. Errors name it and the remedy.
  [[nodiscard]] storage::Status open(std::uint32_t backlog);
  // Begins to accept.
  void start();
  // Accepts what the kernel has accepted for us, which may hold messages already, and closes. One
  // more may be welcomed in the loop's next turn: let it have one before anything is destroyed.
  void finish();
  // With the real port, once open.
  [[nodiscard]] ListenAddress address() const { return address_; }

 private:
  static asio::awaitable<void> accept_loop(Listener& self);
  // True: go on after a pause.
  [[nodiscard]] bool must_pause_after(std::error_code error);
  void take_waiting(int count_max);
  void drop_one_with_the_spare();

  asio::io_context& io_;
  Connections& connections_;
  Entrance& entrance_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  ListenAddress address_;
  int spare_ = -1;  // a descriptor for hard times
  log::Repeats failure_lines_;
};

}  // namespace stompbox::net

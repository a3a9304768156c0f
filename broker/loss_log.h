#pragma once

#include <chrono>
#include <cstdint>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "broker/routing/router.h"

namespace stompbox {

// Says in the log what policies have given up: messages that slow topic subscribers were not given,
// messages of full queues and dead letters that made room. Looks every second; one line of a kind
// in ten seconds at most, with the count since the last one and since the start. Loop thread.
class LossLog {
 public:
  // Both outlive this; `io` is not run afterwards.
  LossLog(asio::io_context& io, const routing::Router& router);
  LossLog(const LossLog&) = delete;
  LossLog& operator=(const LossLog&) = delete;

  // At the stop: says at once what has not been said yet, and looks no more.
  void last_look();

 private:
  using Clock = std::chrono::steady_clock;
  struct Told {
    const char* event;
    std::uint64_t total = 0;
    Clock::time_point silent_until{};
  };
  static void tell(Told& told, std::uint64_t total);
  void arm();
  void look();
  void tell_all();

  const routing::Router& router_;
  asio::steady_timer timer_;
  Told topics_{"topic-messages-lost"};
  Told queues_{"queue-messages-lost"};
  Told letters_{"dead-letters-lost"};
};

}  // namespace stompbox

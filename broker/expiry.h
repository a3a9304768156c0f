#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "broker/access/slow_work.h"
#include "storage/catalog/catalog_place.h"
#include "storage/result.h"

namespace stompbox {

// Forgets nodes that have been silent for too long (catalog::expire_step): some each hour, on a
// thread and a connection of its own. The first time is a day after the start, so that after a long
// stop every node has had the time to come back. Loop thread only.
class Expiry {
 public:
  // `io` outlives this and is not run afterwards.
  Expiry(asio::io_context& io, catalog::CatalogPlace place, std::chrono::milliseconds silent_for);

  void start();
  void stop();  // begins nothing more; what is under way ends by itself within the time-outs

 private:
  using Outcome = storage::Result<std::vector<std::string>>;

  static Outcome forget_some(const catalog::CatalogPlace& place, std::chrono::seconds silent_for);
  void wait(std::chrono::steady_clock::duration time);
  void begin();
  void on_done(const Outcome& outcome);

  asio::io_context& io_;
  const catalog::CatalogPlace place_;
  const std::chrono::seconds silent_for_;
  asio::steady_timer timer_;
  bool stopped_ = false;
  access::SlowWork work_;  // last: its job ends before the rest goes
};

}  // namespace stompbox

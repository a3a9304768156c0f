#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "broker/access/slow_work.h"
#include "broker/expiry_watch.h"
#include "storage/catalog/catalog_place.h"
#include "storage/result.h"

namespace stompbox {

struct ExpiryTimes {
  std::chrono::milliseconds first = std::chrono::minutes(5);  // after the start
  std::chrono::milliseconds every = std::chrono::hours(24);   // from one pass to the next
  std::chrono::milliseconds look = std::chrono::hours(1);    // the watch is noted, or it is retried
  std::chrono::milliseconds next = std::chrono::seconds(1);  // within a pass
  // So long nodes must have been able to report, and a longer break of it starts that anew.
  std::chrono::seconds watch = std::chrono::hours(24);
  std::function<std::chrono::system_clock::time_point()> wall = std::chrono::system_clock::now;
};

// Forgets nodes that have been silent for too long (catalog::care::expire_step): a pass soon after
// the start and then daily, a few nodes at a time, on a thread and a connection of its own. Loop
// thread only.
class Expiry {
 public:
  // `io` outlives this and is not run afterwards. `watch_file`: empty for none, then the watch
  // begins with the start.
  Expiry(asio::io_context& io, catalog::CatalogPlace place, std::chrono::milliseconds silent_for,
         std::string watch_file, ExpiryTimes times = {});

  void start();
  void stop();  // begins nothing more; what is under way ends by itself within the time-outs

 private:
  using Nodes = storage::Result<std::vector<std::string>>;
  struct Outcome {
    ExpiryWatch watch;
    storage::Status noted = storage::kOk;  // the watch
    std::optional<Nodes> forgotten;        // nothing: it was not tried
  };
  enum class Task : std::uint8_t { kNote, kNoteAndForget };

  [[nodiscard]] Outcome work(const std::optional<ExpiryWatch>& known, Task task) const;
  [[nodiscard]] Nodes forget_some(std::chrono::system_clock::time_point now) const;
  void wait(std::chrono::milliseconds time);
  void begin();
  void on_done(const Outcome& outcome);
  void tell(const std::vector<std::string>& nodes) const;

  // Constant after construction, but for what runs on the loop.
  asio::io_context& io_;
  const catalog::CatalogPlace place_;
  const std::chrono::seconds silent_for_;
  const std::string watch_file_;
  const ExpiryTimes times_;

  asio::steady_timer timer_;
  std::optional<ExpiryWatch> watch_;
  std::chrono::steady_clock::time_point pass_at_;
  bool note_failed_ = false;  // was told
  bool stopped_ = false;
  access::SlowWork slow_work_;  // last: its job ends before the rest goes
};

}  // namespace stompbox

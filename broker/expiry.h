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
#include "storage/catalog/care/forget.h"
#include "storage/catalog/catalog_place.h"
#include "storage/result.h"

namespace stompbox {

struct ExpiryTimes {
  std::chrono::milliseconds first = std::chrono::minutes(5);  // after the start; `look` at most
  std::chrono::milliseconds every = std::chrono::hours(24);   // from one pass to the next
  // The watch is noted, or it is retried: in time to see a break, of short times of silence too.
  std::chrono::milliseconds look = std::chrono::hours(1);
  std::chrono::milliseconds next = std::chrono::seconds(1);  // within a pass
  std::function<std::chrono::system_clock::time_point()> wall = std::chrono::system_clock::now;
};

// Forgets nodes that have been silent for too long (catalog::care::expire_step): a pass soon after
// the start and then daily, a few nodes at a time, on a thread and a connection of its own. Nothing
// is forgotten before the watch has lasted for the whole of that time, a day at least; a quarter of
// it without any catalog is a break, and the watch begins anew. Loop thread only.
class Expiry {
 public:
  // `io` outlives this and is not run afterwards. `watch_file`: empty for none, then the watch
  // begins with the start.
  Expiry(asio::io_context& io, catalog::CatalogPlace place, std::chrono::milliseconds silent_for,
         std::string watch_file, ExpiryTimes times = {});

  void start();
  void stop();  // begins nothing more; what is under way ends by itself within the time-outs

 private:
  struct Outcome {
    std::optional<ExpiryWatch> watch;
    storage::Status noted = storage::kOk;           // the watch
    std::optional<catalog::care::Expired> expired;  // nothing: it was not tried
  };
  enum class Task : std::uint8_t { kNote, kNoteAndForget };

  [[nodiscard]] Outcome work_caught(const std::optional<ExpiryWatch>& known, Task task) const;
  [[nodiscard]] Outcome work(const std::optional<ExpiryWatch>& known, Task task) const;
  void wait(std::chrono::milliseconds time);
  void begin();
  void on_done(const Outcome& outcome);
  void tell(const std::vector<std::string>& nodes) const;

  // Constant after construction, but for what runs on the loop.
  asio::io_context& io_;
  const catalog::CatalogPlace place_;
  const std::chrono::seconds silent_for_;
  const std::string watch_file_;
  ExpiryTimes times_;

  asio::steady_timer timer_;
  std::optional<ExpiryWatch> watch_;
  std::chrono::steady_clock::time_point pass_at_;
  bool note_failed_ = false;  // was told
  bool stopped_ = false;
  access::SlowWork slow_work_;  // last: its job ends before the rest goes
};

}  // namespace stompbox

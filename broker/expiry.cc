#include "broker/expiry.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <system_error>
#include <utility>

#include <asio/post.hpp>

#include "broker/log/log.h"
#include "storage/catalog/care/forget.h"

namespace stompbox {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kNodesMax = 10;  // at a time, a transaction each

// Nothing depends on it now, and the end of the process waits for what is under way.
catalog::CatalogPlace patient_for_a_moment(catalog::CatalogPlace place) {
  place.sqlite.busy_timeout = milliseconds(200);
  place.mysql.connect_timeout = milliseconds(2000);
  place.mysql.io_timeout = milliseconds(5000);
  place.mysql.lock_timeout = milliseconds(1000);
  return place;
}

}  // namespace

Expiry::Expiry(asio::io_context& io, catalog::CatalogPlace place, milliseconds silent_for,
               std::string watch_file, ExpiryTimes times)
    : io_(io),
      place_(patient_for_a_moment(std::move(place))),
      silent_for_(std::chrono::ceil<std::chrono::seconds>(silent_for)),
      watch_file_(std::move(watch_file)),
      times_(std::move(times)),
      timer_(io),
      pass_at_(std::chrono::steady_clock::now()),
      slow_work_(1) {}

void Expiry::start() {
  wait(times_.first);
}

void Expiry::stop() {
  stopped_ = true;
  timer_.cancel();
}

void Expiry::wait(milliseconds time) {
  if (stopped_) return;
  timer_.expires_after(time);
  timer_.async_wait([this](std::error_code cancelled) {
    if (!cancelled && !stopped_) begin();
  });
}

void Expiry::begin() {
  const bool due = std::chrono::steady_clock::now() >= pass_at_;
  const Task task = due ? Task::kNoteAndForget : Task::kNote;
  const auto taken = slow_work_.submit([this, known = watch_, task] {
    Outcome outcome = work(known, task);
    asio::post(io_, [this, outcome = std::move(outcome)] { on_done(outcome); });
  });
  if (taken == access::SlowWork::Taken::kFull) wait(times_.look);
}

// The thread of the work.
Expiry::Outcome Expiry::work(const std::optional<ExpiryWatch>& known, Task task) const {
  const auto now = times_.wall();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto kept = known || watch_file_.empty() ? known : read_watch(watch_file_);
  Outcome outcome{carried_on(kept, seconds, times_.watch), storage::kOk, std::nullopt};
  if (!watch_file_.empty()) outcome.noted = write_watch(watch_file_, outcome.watch);
  const bool proven = seconds - outcome.watch.since >= times_.watch;
  if (proven && task == Task::kNoteAndForget) outcome.forgotten = forget_some(now);
  return outcome;
}

Expiry::Nodes Expiry::forget_some(std::chrono::system_clock::time_point now) const {
  try {
    const auto db = catalog::open_catalog_connection(place_, catalog::ConnectionUse::kWrite);
    if (!db) return db.error();
    return catalog::care::expire_step(**db, silent_for_, now, kNodesMax);
  } catch (const std::exception& error) {
    return storage::Error{storage::ErrorCode::kIo, std::string("it failed: ") + error.what()};
  }
}

void Expiry::on_done(const Outcome& outcome) {
  watch_ = outcome.watch;
  if (!outcome.noted && !std::exchange(note_failed_, true)) {
    log::write(log::Level::kWarning, "expiry-watch-failed",
               log::Fields().add("error", outcome.noted.error().text));
  }
  if (!outcome.forgotten) return wait(times_.look);
  const Nodes& forgotten = *outcome.forgotten;
  if (!forgotten) {
    log::write(log::Level::kWarning, "expiry-failed",
               log::Fields().add("error", forgotten.error().text));
    return wait(times_.look);
  }
  tell(*forgotten);
  if (forgotten->size() == kNodesMax) return wait(times_.next);
  pass_at_ = std::chrono::steady_clock::now() + times_.every;
  wait(std::min(times_.look, times_.every));
}

void Expiry::tell(const std::vector<std::string>& nodes) const {
  for (const std::string& node : nodes) {
    log::write(
        log::Level::kInfo, "node-expired",
        log::Fields().add("node", node).add("silent_for_s", std::int64_t{silent_for_.count()}));
  }
}

}  // namespace stompbox

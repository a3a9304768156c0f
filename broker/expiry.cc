#include "broker/expiry.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <system_error>
#include <utility>

#include <asio/post.hpp>

#include "broker/log/log.h"

namespace stompbox {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kNodesMax = 10;  // at a time, a transaction each
constexpr std::chrono::seconds kWatchMin = std::chrono::hours(24);
// A longer part of the time of silence without any catalog is a break. Three quarters of it a node
// has then been silent by itself.
constexpr int kBreakPart = 4;
constexpr int kLooksInBreak = 3;

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
      slow_work_(1) {
  times_.look = std::min<milliseconds>(times_.look, silent_for_ / (kBreakPart * kLooksInBreak));
  times_.first = std::min(times_.first, times_.look);
}

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
    Outcome outcome = work_caught(known, task);
    asio::post(io_, [this, outcome = std::move(outcome)] { on_done(outcome); });
  });
  if (taken == access::SlowWork::Taken::kFull) wait(times_.look);
}

// The thread of the work, as what it calls.
Expiry::Outcome Expiry::work_caught(const std::optional<ExpiryWatch>& known, Task task) const {
  try {
    return work(known, task);
  } catch (const std::exception& error) {
    catalog::care::Expired failed;
    failed.failure =
        storage::Error{storage::ErrorCode::kIo, std::string("it failed: ") + error.what()};
    return {known, storage::kOk, std::move(failed)};
  }
}

Expiry::Outcome Expiry::work(const std::optional<ExpiryWatch>& known, Task task) const {
  Outcome outcome{known, storage::kOk, std::nullopt};
  const auto db = catalog::open_catalog_connection(place_, catalog::ConnectionUse::kWrite);
  if (!db) {
    outcome.expired.emplace().failure = db.error();
    return outcome;
  }
  const auto now = times_.wall();
  const auto newest = catalog::care::newest_catalog(**db, now);
  if (!newest) return outcome;
  const auto kept = known || watch_file_.empty() ? known : read_watch(watch_file_);
  outcome.watch =
      carried_on(kept, std::chrono::floor<std::chrono::seconds>(*newest), silent_for_ / kBreakPart);
  if (!watch_file_.empty()) outcome.noted = write_watch(watch_file_, *outcome.watch);
  const auto lasted = outcome.watch->last - outcome.watch->since;
  if (task == Task::kNoteAndForget && lasted >= std::max(silent_for_, kWatchMin)) {
    outcome.expired = catalog::care::expire_step(**db, silent_for_, now, kNodesMax);
  }
  return outcome;
}

void Expiry::on_done(const Outcome& outcome) {
  watch_ = outcome.watch;
  if (!outcome.noted && !std::exchange(note_failed_, true)) {
    log::write(log::Level::kWarning, "expiry-watch-failed",
               log::Fields().add("error", outcome.noted.error().text));
  }
  if (!outcome.expired) return wait(times_.look);
  const catalog::care::Expired& expired = *outcome.expired;
  tell(expired.forgotten);
  if (!expired.failure) {
    log::write(log::Level::kWarning, "expiry-failed",
               log::Fields().add("error", expired.failure.error().text));
  }
  if (expired.silent == kNodesMax && !expired.forgotten.empty()) return wait(times_.next);
  if (expired.failure) pass_at_ = std::chrono::steady_clock::now() + times_.every;
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

#include "broker/expiry.h"

#include <cstdint>
#include <exception>
#include <system_error>
#include <utility>

#include <asio/post.hpp>

#include "broker/log/log.h"
#include "storage/catalog/forget.h"

namespace stompbox {
namespace {

constexpr auto kFirst = std::chrono::hours(24);
constexpr auto kEvery = std::chrono::hours(1);
constexpr auto kNext = std::chrono::seconds(1);  // while there are more
constexpr std::size_t kNodesMax = 10;            // at a time, a transaction each

// Nothing depends on it now, and the end of the process waits for what is under way.
catalog::CatalogPlace patient_for_a_moment(catalog::CatalogPlace place) {
  using std::chrono::milliseconds;
  place.sqlite.busy_timeout = milliseconds(200);
  place.mysql.connect_timeout = milliseconds(2000);
  place.mysql.io_timeout = milliseconds(5000);
  place.mysql.lock_timeout = milliseconds(1000);
  return place;
}

}  // namespace

Expiry::Expiry(asio::io_context& io, catalog::CatalogPlace place,
               std::chrono::milliseconds silent_for)
    : io_(io),
      place_(patient_for_a_moment(std::move(place))),
      silent_for_(std::chrono::ceil<std::chrono::seconds>(silent_for)),
      timer_(io),
      work_(1) {}

void Expiry::start() {
  wait(kFirst);
}

void Expiry::stop() {
  stopped_ = true;
  timer_.cancel();
}

void Expiry::wait(std::chrono::steady_clock::duration time) {
  if (stopped_) return;
  timer_.expires_after(time);
  timer_.async_wait([this](std::error_code cancelled) {
    if (!cancelled && !stopped_) begin();
  });
}

void Expiry::begin() {
  const auto taken = work_.submit([this, &io = io_, place = place_, silent_for = silent_for_] {
    Outcome outcome = forget_some(place, silent_for);
    asio::post(io, [this, outcome = std::move(outcome)] { on_done(outcome); });
  });
  if (taken == access::SlowWork::Taken::kFull) wait(kEvery);
}

// The thread of the work.
Expiry::Outcome Expiry::forget_some(const catalog::CatalogPlace& place,
                                    std::chrono::seconds silent_for) {
  try {
    const auto db = catalog::open_catalog_connection(place, catalog::ConnectionUse::kWrite);
    if (!db) return db.error();
    return catalog::expire_step(**db, silent_for, std::chrono::system_clock::now(), kNodesMax);
  } catch (const std::exception& error) {
    return storage::Error{storage::ErrorCode::kIo, std::string("it failed: ") + error.what()};
  }
}

void Expiry::on_done(const Outcome& outcome) {
  if (!outcome) {
    log::write(log::Level::kWarning, "expiry-failed",
               log::Fields().add("error", outcome.error().text));
    return wait(kEvery);
  }
  for (const std::string& node : *outcome) {
    log::write(
        log::Level::kInfo, "node-expired",
        log::Fields().add("node", node).add("silent_for_s", std::int64_t{silent_for_.count()}));
  }
  wait(outcome->size() == kNodesMax ? std::chrono::steady_clock::duration(kNext) : kEvery);
}

}  // namespace stompbox

#include "broker/verbs/care_watch.h"

#include <poll.h>

#include <algorithm>
#include <string>

#include "broker/verbs/terminal.h"

namespace stompbox::verbs {
namespace {

constexpr std::chrono::milliseconds kEvery{100};

}  // namespace

CareProgress::~CareProgress() {
  if (any_) tell_progress("");
}

void CareProgress::on_progress(std::string_view work, std::uint64_t done, std::uint64_t all) {
  const auto now = std::chrono::steady_clock::now();
  if (now - shown_ < kEvery || all == 0) return;
  shown_ = now;
  any_ = true;
  const std::uint64_t percent = std::min<std::uint64_t>(done * 100 / all, 100);
  tell_progress(std::string(work) + " " + std::to_string(percent) + " %");
}

void CareProgress::rest(std::chrono::milliseconds time) {
  static_cast<void>(::poll(nullptr, 0, static_cast<int>(time.count())));
}

storage::Result<catalog::CatalogPlace> database_of(const options::Options& options) {
  auto place = options::catalog_place(options);
  if (place && place->kind == catalog::PlaceKind::kNone) {
    return storage::Error{storage::ErrorCode::kInvalid,
                          "there is no catalog database here: name one with --catalog-store "
                          "STORE or the broker's folder with --data"};
  }
  return place;
}

storage::Result<std::unique_ptr<catalog::SqlConnection>> connect_database(
    const options::Options& options, catalog::ConnectionUse use) {
  const auto place = database_of(options);
  if (!place) return place.error();
  return catalog::open_catalog_connection(*place, use);
}

}  // namespace stompbox::verbs

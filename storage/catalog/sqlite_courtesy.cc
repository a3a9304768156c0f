#include "storage/catalog/sqlite_courtesy.h"

#include <algorithm>

namespace stompbox::catalog {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kRemembered = seconds(10);  // so long others count as about
constexpr int kFreeTimes = 3;
constexpr auto kFreeMax = seconds(1);

}  // namespace

void SqliteCourtesy::note_held(Clock::time_point from, Clock::time_point until) {
  const Clock::duration free = kFreeTimes * (until - from);
  free_until_ = until + std::min<Clock::duration>(free, kFreeMax);
}

SqliteCourtesy::Clock::duration SqliteCourtesy::wait_left(Clock::time_point now) const {
  if (!others_at_ || now - *others_at_ > kRemembered) return Clock::duration::zero();
  const Clock::time_point silence = std::min(*others_at_ + silence_, asked_at_ + patience_);
  return std::max(free_until_, silence) - now;
}

}  // namespace stompbox::catalog

#include "broker/alarm.h"

#include <system_error>
#include <utility>

namespace stompbox {

Alarm::Alarm(asio::io_context& io, std::function<void()> on_time)
    : timer_(io), on_time_(std::move(on_time)) {}

void Alarm::set(std::optional<TimePoint> at) {
  if (at == at_) return;
  at_ = at;
  timer_.cancel();
  if (at_) wait();
}

// A wait that is over cannot be cancelled: its handler may be on its way when another moment is
// set.
void Alarm::wait() {
  timer_.expires_at(*at_);
  timer_.async_wait([this, at = *at_](std::error_code cancelled) {
    if (cancelled || at_ != at) return;
    at_.reset();
    on_time_();
  });
}

}  // namespace stompbox

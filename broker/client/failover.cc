#include "broker/client/failover.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace stompbox::client {

Failover::Failover(std::size_t count, FailoverOptions options) : count_(count), options_(options) {
  assert(count > 0);
}

void Failover::worked() {
  worked_ = true;
  pause_ = std::chrono::milliseconds{0};
}

void Failover::failed(TimePoint now) {
  next_try_ = now;
  if (std::exchange(worked_, false)) {
    current_ = 0;
    return;
  }
  current_ = (current_ + 1) % count_;
  if (current_ != 0) return;
  pause_ = pause_.count() == 0 ? options_.first : std::min(2 * pause_, options_.most);
  next_try_ = now + pause_;
}

}  // namespace stompbox::client

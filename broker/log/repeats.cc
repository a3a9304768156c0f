#include "broker/log/repeats.h"

#include <utility>

namespace stompbox::log {

std::optional<std::uint64_t> Repeats::next(TimePoint now) {
  if (in_period_ == 0 || now - period_start_ >= period_) {
    period_start_ = now;
    in_period_ = 0;
  }
  if (in_period_ >= count_max_) {
    ++left_out_;
    return std::nullopt;
  }
  ++in_period_;
  return std::exchange(left_out_, 0);
}

}  // namespace stompbox::log

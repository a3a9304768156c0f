#include "broker/net/deadlines.h"

namespace stompbox::net {

void Deadlines::set(std::uint64_t connection, TimePoint when) {
  const auto [place, is_new] = by_connection_.try_emplace(connection, when);
  if (!is_new) {
    if (place->second <= when) return;
    by_time_.erase({place->second, connection});
    place->second = when;
  }
  by_time_.insert({when, connection});
}

void Deadlines::forget(std::uint64_t connection) {
  const auto place = by_connection_.find(connection);
  if (place == by_connection_.end()) return;
  by_time_.erase({place->second, connection});
  by_connection_.erase(place);
}

std::optional<Deadlines::TimePoint> Deadlines::next() const {
  if (by_time_.empty()) return std::nullopt;
  return by_time_.begin()->first;
}

std::optional<std::uint64_t> Deadlines::take_due(TimePoint now) {
  if (by_time_.empty() || by_time_.begin()->first > now) return std::nullopt;
  const std::uint64_t connection = by_time_.begin()->second;
  forget(connection);
  return connection;
}

}  // namespace stompbox::net

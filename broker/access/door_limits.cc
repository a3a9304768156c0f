#include "broker/access/door_limits.h"

#include <algorithm>
#include <cassert>

namespace stompbox::access {

void DoorLimits::fill(Address& address, TimePoint now) const {
  const double seconds = std::chrono::duration<double>(now - address.filled).count();
  const double most = static_cast<double>(options_.connection_burst_max);
  address.tokens =
      std::min(most, address.tokens + seconds * static_cast<double>(options_.connection_rate_max));
  address.filled = now;
}

DoorLimits::Arrival DoorLimits::arrive(std::uint64_t connection, std::string_view address,
                                       Bounds bounds, TimePoint now) {
  make_room(now);
  const auto [found, is_new] = addresses_.try_emplace(std::string(address));
  Address& known = found->second;
  if (is_new) known = {0, static_cast<double>(options_.connection_burst_max), now};
  fill(known, now);
  if (bounds == Bounds::kHold) {
    const std::size_t most = options_.connections_per_address_max;
    if (most > 0 && known.connections >= most) return Arrival::kTooMany;
    if (options_.connection_rate_max > 0) {
      if (known.tokens < 1) return Arrival::kTooFast;
      known.tokens -= 1;
    }
  }
  ++known.connections;
  connections_[connection] = {&*found, nullptr};
  return Arrival::kIn;
}

void DoorLimits::leave(std::uint64_t connection) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  const Connection& left = found->second;
  assert(left.address->second.connections > 0);
  --left.address->second.connections;  // kept: its bucket is not full yet
  if (left.user != nullptr && --left.user->second == 0) users_.erase(users_.find(left.user->first));
  connections_.erase(found);
}

DoorLimits::Login DoorLimits::log_in(std::uint64_t connection, std::string_view user) {
  const std::size_t most = options_.connections_per_user_max;
  const auto found = connections_.find(connection);
  if (most == 0 || user.empty() || found == connections_.end()) return Login::kIn;
  assert(found->second.user == nullptr);
  const auto known = users_.try_emplace(std::string(user), 0).first;
  if (known->second >= most) return Login::kTooMany;
  ++known->second;
  found->second.user = &*known;
  return Login::kIn;
}

// Forgets an address that has no connections, the full buckets first. A few looks at most: this
// runs for every arrival of a flood.
void DoorLimits::make_room(TimePoint now) {
  constexpr int kLooks = 16;
  if (addresses_.size() < options_.failure_addresses_max) return;
  auto idle = addresses_.end();
  int looks = 0;
  for (auto at = addresses_.begin(); at != addresses_.end() && looks < kLooks; ++at, ++looks) {
    if (at->second.connections > 0) continue;
    idle = at;
    fill(at->second, now);
    if (at->second.tokens >= static_cast<double>(options_.connection_burst_max)) break;
  }
  if (idle != addresses_.end()) addresses_.erase(idle);
}

}  // namespace stompbox::access

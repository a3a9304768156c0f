#include "broker/routing/value_table.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "broker/routing/fetch.h"
#include "broker/routing/interest.h"
#include "broker/routing/name_hash.h"
#include "broker/routing/subscription.h"

namespace stompbox::routing {
namespace {

constexpr std::size_t kSlotsMin = 8;

}  // namespace

ValueTable::ValueTable() = default;
ValueTable::~ValueTable() = default;

// Where it stands, or the free slot where it would.
std::size_t ValueTable::place_of(std::uint64_t hash, std::string_view value) const {
  std::size_t place = home_of(hash);
  while (slots_[place].interest) {
    if (slots_[place].hash == hash && slots_[place].interest->value == value) break;
    place = after(place);
  }
  return place;
}

Interest* ValueTable::find(std::string_view value) const {
  if (count_ == 0) return nullptr;
  return slots_[place_of(NameHash{}(value), value)].interest.get();
}

std::uint64_t ValueTable::hash_of(std::string_view value) {
  return NameHash{}(value);
}

void ValueTable::foretell(std::string_view value, const Subscription* sole) {
  Slot& slot = slots_[place_of(hash_of(value), value)];
  assert(slot.interest);
  slot.sole = sole;
}

void ValueTable::fetch_slot(std::uint64_t hash) const {
  if (!slots_.empty()) fetch<1>(&slots_[home_of(hash)]);
}

// Of two values with one place in the table the first is taken for it: it is only a hint.
void ValueTable::fetch_interest(std::uint64_t hash) const {
  if (slots_.empty()) return;
  std::size_t place = home_of(hash);
  while (slots_[place].interest && slots_[place].hash != hash)
    place = after(place);
  const Slot& slot = slots_[place];
  if (!slot.interest) return;
  fetch<Interest::kHotLines>(slot.interest.get());
  fetch<Subscription::kHotLines>(slot.sole);
}

Interest& ValueTable::add(std::unique_ptr<Interest> interest) {
  if (2 * (count_ + 1) > slots_.size()) resize(std::max(kSlotsMin, 2 * slots_.size()));
  const std::uint64_t hash = NameHash{}(interest->value);
  Slot& slot = slots_[place_of(hash, interest->value)];
  assert(!slot.interest);
  slot = {hash, std::move(interest), nullptr};
  count_ += 1;
  return *slot.interest;
}

// Those behind it move up, so that each is found from its own place on.
void ValueTable::erase(std::string_view value) {
  assert(count_ > 0);
  std::size_t gap = place_of(NameHash{}(value), value);
  assert(slots_[gap].interest);
  slots_[gap].interest.reset();
  count_ -= 1;
  for (std::size_t next = after(gap); slots_[next].interest; next = after(next)) {
    const std::size_t mask = slots_.size() - 1;
    const std::size_t from_home = (next - home_of(slots_[next].hash)) & mask;
    if (from_home < ((next - gap) & mask)) continue;
    slots_[gap] = std::move(slots_[next]);
    gap = next;
  }
  if (slots_.size() > kSlotsMin && 8 * count_ < slots_.size()) resize(slots_.size() / 2);
}

void ValueTable::resize(std::size_t slots) {
  std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots));
  for (Slot& slot : old) {
    if (!slot.interest) continue;
    std::size_t place = home_of(slot.hash);
    while (slots_[place].interest)
      place = after(place);
    slots_[place] = std::move(slot);
  }
}

}  // namespace stompbox::routing

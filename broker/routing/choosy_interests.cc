#include <algorithm>
#include <cassert>
#include <utility>

#include "broker/routing/choosy.h"
#include "broker/routing/subscription.h"

// Who asks for what, and under which interests a message is parked.
namespace stompbox::routing {

void Choosy::join(Seat& seat) {
  assert(seat.interest == nullptr && seat.turns == nullptr);
  Interest& interest = interest_for(*seat.subscription);
  seat.interest = &interest;
  interest.seat_count += 1;
  if (interest.index != nullptr) {
    interest.index->seat_count += 1;
    interest.index->values.foretell(interest.value, seat.subscription);
  }
  if (interest.seat_count == 1) reveal_store(interest);
}

// Whatever the store holds may be for it.
void Choosy::reveal_store(Interest& interest) {
  interest.unseen = {};
  for (const Lane& lane : waiting_.lanes()) {
    if (lane.paged_count > 0) extend(interest, lane.priority, lane.paged_from, lane.paged_to);
  }
  // The page in hand has passed some of it already.
  interest.is_stuck = scan_ && interest.is_behind;
}

Interest& Choosy::interest_for(const Subscription& subscription) {
  const std::shared_ptr<const Selector>& selector = subscription.selector;
  if (selector == nullptr) {
    if (all_) return *all_;
    all_ = std::make_unique<Interest>();
    show_parked(*all_);
    return *all_;
  }
  if (const auto& equality = selector->equality()) {
    std::unique_ptr<HeaderIndex>& index = indexes_[equality->header];
    if (!index) {
      index = std::make_unique<HeaderIndex>();
      index->header = equality->header;
      show_parked(*index);
    }
    Interest& interest = value_interest(*index, equality->value);
    interest.selector = selector;
    return interest;
  }
  std::unique_ptr<Interest>& other = others_[selector->text()];
  if (!other) {
    other = std::make_unique<Interest>();
    other->kind = Interest::Kind::kOther;
    other->selector = selector;
    show_parked(*other);
  }
  return *other;
}

Interest& Choosy::value_interest(HeaderIndex& index, std::string_view value) {
  if (Interest* const found = index.values.find(value)) return *found;
  auto made = std::make_unique<Interest>();
  made->kind = Interest::Kind::kEqual;
  made->index = &index;
  made->value = std::string(value);
  return index.values.add(std::move(made));
}

void Choosy::park_for(Interest& interest, queue::Place place) {
  interest.parked.insert(place);
  where_.at(place).push_back(&interest);
}

// A new interest, and what is parked already; bound groups are not for it.
void Choosy::show_parked(Interest& interest) {
  for (const auto& [place, under] : where_) {
    const Entry& entry = *waiting_.find_sparse(place);
    if (owner_of(entry) == nullptr && lets_through(interest, *entry.message)) {
      park_for(interest, place);
    }
  }
}

void Choosy::show_parked(HeaderIndex& index) {
  for (const auto& [place, under] : where_) {
    const Entry& entry = *waiting_.find_sparse(place);
    if (owner_of(entry) != nullptr) continue;
    const auto value = find_header(*entry.message, index.header, scratch_);
    if (value) park_for(value_interest(index, *value), place);
  }
}

bool Choosy::lets_through(const Interest& interest, const queue::Message& message) {
  switch (interest.kind) {
    case Interest::Kind::kAll: return true;
    case Interest::Kind::kOther: return interest.selector->matches(message);
    case Interest::Kind::kEqual: {
      const auto value = find_header(message, interest.index->header, scratch_);
      return value && *value == interest.value;
    }
    case Interest::Kind::kOwn: break;
  }
  return false;
}

void Choosy::match(const Entry& entry, Absent absent, Found& found) {
  found.clear();
  if (Interest* own = owner_of(entry)) {
    found.push_back(own);
    return;
  }
  if (all_) found.push_back(all_.get());
  for (const auto& [header, index] : indexes_) {
    const auto value = find_header(*entry.message, header, scratch_);
    if (!value) continue;
    if (absent == Absent::kMake) {
      found.push_back(&value_interest(*index, *value));
    } else if (Interest* const interest = index->values.find(*value)) {
      found.push_back(interest);
    }
  }
  for (const auto& [text, interest] : others_) {
    if (interest->selector->matches(*entry.message)) found.push_back(interest.get());
  }
}

void Choosy::expect_like(const HeaderLines& headers) {
  constexpr std::size_t kManyValues = 128;
  expected_in_ = nullptr;
  for (const auto& [header, index] : indexes_) {
    if (index->values.size() < kManyValues) continue;
    const auto value = find_header(headers, header, scratch_);
    if (!value) continue;
    expected_in_ = index.get();
    expected_hash_ = ValueTable::hash_of(*value);
    index->values.fetch_slot(expected_hash_);
    return;
  }
}

void Choosy::index(queue::Place place, const Found& found) {
  where_.emplace(place, found);
  for (Interest* interest : found) {
    interest->parked.insert(place);
    if (interest->seat_count > 0 && interest->with_credit() != nullptr) wake(*interest);
  }
}

void Choosy::unindex(queue::Place place) {
  const auto at = where_.find(place);
  assert(at != where_.end());
  const Found under = std::move(at->second);
  where_.erase(at);
  for (Interest* interest : under) {
    interest->parked.erase(place);
    remove_if_unused(*interest);
  }
}

// A value that nobody asks for and that nothing waits with.
void Choosy::remove_if_unused(Interest& interest) {
  if (interest.kind != Interest::Kind::kEqual || interest.seat_count > 0) return;
  if (!interest.parked.empty()) return;
  forget(interest);
  interest.index->values.erase(interest.value);
}

void Choosy::forget(Interest& interest) {
  for (const queue::Place place : interest.parked)
    std::erase(where_.at(place), &interest);
  if (interest.is_ready) std::erase(ready_, &interest);
  if (interest.is_behind) std::erase(behind_, &interest);
  if (interest.is_hungry) std::erase(hungry_, &interest);
  interest.is_ready = interest.is_behind = interest.is_hungry = false;
  blocked_.erase(&interest);
}

void Choosy::drop_index(HeaderIndex& index) {
  index.values.for_each([this](Interest& interest) { forget(interest); });
  expected_in_ = nullptr;
  indexes_.erase(indexes_.find(index.header));
}

void Choosy::leave(Seat& seat) {
  Turns::leave(seat);
  for (Groups::Group* group : groups_.owned_by(seat)) {
    release(*group);
    groups_.erase_if_empty(*group);
  }
  if (seat.own != nullptr) {
    assert(seat.own->parked.empty());
    forget(*seat.own);
    owns_.erase(&seat);
    seat.own = nullptr;
  }
  Interest& interest = *std::exchange(seat.interest, nullptr);
  interest.seat_count -= 1;
  HeaderIndex* const index = interest.index;
  if (index != nullptr) index->seat_count -= 1;
  if (interest.seat_count > 0) return;
  if (index != nullptr && index->seat_count == 0) {
    drop_index(*index);
  } else if (index != nullptr) {
    remove_if_unused(interest);
  } else {
    forget(interest);
    if (interest.kind == Interest::Kind::kAll) {
      all_.reset();
    } else {
      others_.erase(others_.find(interest.selector->text()));
    }
  }
}

}  // namespace stompbox::routing

#include "broker/routing/groups.h"

#include <iterator>

namespace stompbox::routing {

Groups::Group* Groups::find(std::string_view id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &*found->second;
}

Groups::Group& Groups::use(std::string_view id) {
  if (const auto found = by_id_.find(id); found != by_id_.end()) {
    by_age_.splice(by_age_.end(), by_age_, found->second);
    return *found->second;
  }
  Group& made = by_age_.emplace_back();
  made.id = std::string(id);
  by_id_.emplace(made.id, std::prev(by_age_.end()));
  return made;
}

// Looks at a few: what waits is bounded elsewhere, so the oldest are seldom all in use.
Groups::Group* Groups::surplus() {
  if (by_age_.size() < kCountMax) return nullptr;
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    if (by_age_.front().parked.empty()) return &by_age_.front();
    by_age_.splice(by_age_.end(), by_age_, by_age_.begin());
  }
  return nullptr;
}

void Groups::erase(Group& group) {
  const auto found = by_id_.find(group.id);
  const auto at = found->second;
  by_id_.erase(found);
  by_age_.erase(at);
}

void Groups::erase_if_empty(Group& group) {
  if (group.owner == nullptr && group.parked.empty()) erase(group);
}

std::vector<Groups::Group*> Groups::owned_by(const Seat& seat) {
  std::vector<Group*> owned;
  for (Group& group : by_age_) {
    if (group.owner == &seat) owned.push_back(&group);
  }
  return owned;
}

}  // namespace stompbox::routing

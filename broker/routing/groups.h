#pragma once

#include <cstddef>
#include <list>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/routing/seat.h"
#include "storage/queue/journal.h"

namespace stompbox::routing {

// The message groups of one queue (JMSXGroupID, fact 2.8): all messages of a group go to one seat
// until it leaves or the group is closed. Bounded: of those that nobody waits in, the one that was
// idle for longest is forgotten, and goes to anybody next time.
class Groups {
 public:
  static constexpr std::size_t kCountMax = 10'000;

  struct Group {
    std::string id;
    Seat* owner = nullptr;          // null: nobody yet
    std::set<queue::Place> parked;  // of its messages, in memory and waiting
  };

  [[nodiscard]] Group* find(std::string_view id);
  // Made when it is missing; the most recently used one from now on.
  [[nodiscard]] Group& use(std::string_view id);
  // Whether use() of a new one would be too many; then this is the one to forget, if there is one.
  [[nodiscard]] Group* surplus();
  void erase(Group& group);
  // Nobody owns it and nothing waits in it.
  void erase_if_empty(Group& group);
  [[nodiscard]] std::vector<Group*> owned_by(const Seat& seat);
  [[nodiscard]] bool empty() const { return by_age_.empty(); }

 private:
  std::list<Group> by_age_;  // the longest idle first
  std::unordered_map<std::string_view, std::list<Group>::iterator> by_id_;  // views of by_age_
};

}  // namespace stompbox::routing

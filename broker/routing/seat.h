#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace stompbox::routing {

class Queue;
class Turns;
struct Interest;
struct Subscription;

// One subscription's place at one queue: over wildcards or a composite a subscription has several.
// Owned by the subscription; the queue knows it by pointer until it is removed there, and keeps
// everything but the first two.
struct Seat {
  Subscription* subscription = nullptr;
  Queue* queue = nullptr;
  bool barred = false;  // another one is exclusive
  // Among those with credit (turns.h).
  Turns* turns = nullptr;
  Seat* previous = nullptr;
  Seat* next = nullptr;
  std::uint64_t turn = 0;  // the smaller, the longer it has waited
  // Where messages are chosen (choosy.h).
  Interest* interest = nullptr;  // what it asks for
  Interest* own = nullptr;       // messages of the groups that are bound to it, if any
};

// The seats of one subscription. They stay where they are; the first one lies inside, as most have
// no other and each message looks at it.
class Seats {
 public:
  // `Any` is Seats or const Seats.
  template <typename Any>
  class Walk {
   public:
    Walk(Any& seats, std::size_t index) : seats_(seats), index_(index) {}
    [[nodiscard]] auto& operator*() const { return seats_.at(index_); }
    Walk& operator++() {
      ++index_;
      return *this;
    }
    [[nodiscard]] bool operator==(const Walk& other) const { return index_ == other.index_; }

   private:
    Any& seats_;
    std::size_t index_;
  };

  Seats() = default;
  Seats(const Seats&) = delete;
  Seats& operator=(const Seats&) = delete;

  Seat& add();
  void remove(const Seat& seat);  // must be here, and no queue knows it any more
  void clear();
  [[nodiscard]] std::size_t size() const { return (has_first_ ? 1 : 0) + others_.size(); }
  [[nodiscard]] Seat& front() { return at(0); }
  [[nodiscard]] Walk<Seats> begin() { return {*this, 0}; }
  [[nodiscard]] Walk<Seats> end() { return {*this, size()}; }
  [[nodiscard]] Walk<const Seats> begin() const { return {*this, 0}; }
  [[nodiscard]] Walk<const Seats> end() const { return {*this, size()}; }
  [[nodiscard]] Seat& at(std::size_t index) {
    if (index == 0 && has_first_) return first_;
    return *others_[has_first_ ? index - 1 : index];
  }
  [[nodiscard]] const Seat& at(std::size_t index) const {
    if (index == 0 && has_first_) return first_;
    return *others_[has_first_ ? index - 1 : index];
  }

 private:
  Seat first_;
  std::vector<std::unique_ptr<Seat>> others_;
  bool has_first_ = false;
};

}  // namespace stompbox::routing

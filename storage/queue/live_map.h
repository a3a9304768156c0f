#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// Where live messages can stand among the arrival numbers of one priority class of one queue.
namespace stompbox::queue {

// [from, to) holds no live message and never will.
struct DeadRange {
  std::uint64_t from = 0;
  std::uint64_t to = 0;

  [[nodiscard]] std::uint64_t length() const { return to - from; }
  friend bool operator==(const DeadRange&, const DeadRange&) = default;
};

// A lower bound of the first live number, and the dead ranges behind it, of which it remembers a
// bounded number (the longest): so that one old message does not make a reader walk over everything
// that was erased since. Never calls a live number dead. Pure; numbers start at 1 and are appended
// in growing order.
class LiveMap {
 public:
  static constexpr std::size_t kRangesMax = 256;

  LiveMap() = default;
  // As stored: `low` <= `next`; ranges beyond the two are cut.
  LiveMap(std::uint64_t low, std::uint64_t next, const std::vector<DeadRange>& dead);

  // `seq` >= next(). What was jumped over is dead: numbers are never used later.
  void append(std::uint64_t seq);
  // True when `seq` was not known to be dead.
  bool erase(std::uint64_t seq);
  // Something else has proved that nothing lives in [from, to); clipped to what has been appended.
  void learn_dead(std::uint64_t from, std::uint64_t to);

  // The first number at or behind `seq` that may be live; next() when there is none.
  [[nodiscard]] std::uint64_t skip_dead(std::uint64_t seq) const;
  [[nodiscard]] std::uint64_t low() const { return low_; }
  [[nodiscard]] std::uint64_t next() const { return next_; }
  [[nodiscard]] bool all_dead() const { return low_ == next_; }
  // In order of numbers.
  [[nodiscard]] const std::vector<DeadRange>& dead_ranges() const { return dead_; }
  // The `count` longest, in order of numbers.
  [[nodiscard]] std::vector<DeadRange> longest_ranges(std::size_t count) const;

 private:
  void insert_range(DeadRange range);
  void forget_shortest();

  std::uint64_t low_ = 1;   // everything below is dead; itself it is not known to be
  std::uint64_t next_ = 1;  // greater than every number appended
  // Within [low_, next_), sorted, never touching one another nor low_; one may end at next_.
  std::vector<DeadRange> dead_;
};

}  // namespace stompbox::queue

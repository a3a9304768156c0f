#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "broker/routing/lane.h"
#include "broker/routing/residence.h"

namespace stompbox::routing {

// Of what never expires.
inline constexpr std::int64_t kNoDate = std::numeric_limits<std::int64_t>::max();

// The waiting messages of one queue, in a lane for each priority class, and what they take in
// memory. It knows nothing of consumers.
class Waiting {
 public:
  explicit Waiting(Residence& residence) : residence_(residence) {}  // which outlives this
  ~Waiting() { residence_.total_bytes -= bytes_; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  [[nodiscard]] Lane& lane(queue::PriorityClass priority);  // made when it is missing
  [[nodiscard]] const Lane* find_lane(queue::PriorityClass priority) const;
  [[nodiscard]] std::vector<Lane>& lanes() { return lanes_; }  // in order of delivery
  [[nodiscard]] const std::vector<Lane>& lanes() const { return lanes_; }

  // Whether one more may stay in memory, up to that part of what a queue may take.
  enum class Share : std::uint8_t { kWhole, kHalf };
  [[nodiscard]] bool has_room(Share share) const;
  void push_fresh(Entry entry);   // behind all of its lane; nothing of it is paged
  void push_sparse(Entry entry);  // to its own place
  [[nodiscard]] Entry take_front(Lane& lane);
  [[nodiscard]] std::optional<Entry> take(queue::Place place);  // nothing: not in memory
  [[nodiscard]] const Entry* find_sparse(queue::Place place) const;
  // So that anything can be taken out of the middle.
  void make_all_sparse();
  void page_out(const Entry& entry);  // counts it as paged; the caller lets it go
  // Counts what is delayed: it takes memory without standing in a lane.
  void gain(const Entry& entry);
  void lose(const Entry& entry);

  // Takes out what has expired, up to that many, and finds the next date.
  void sweep(std::int64_t now_ms, std::size_t count_max, std::vector<Entry>& expired);
  // Nothing in memory expires before; kNoDate if nothing does.
  [[nodiscard]] std::int64_t next_expiry_ms() const { return next_expiry_ms_; }

  [[nodiscard]] std::size_t count() const { return count_; }  // in memory
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t paged_count() const;
  [[nodiscard]] std::uint64_t paged_bytes() const;
  [[nodiscard]] bool nothing_paged() const;

 private:
  Residence& residence_;
  std::vector<Lane> lanes_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  std::int64_t next_expiry_ms_ = kNoDate;
};

// 0 as a date means never.
[[nodiscard]] inline std::int64_t expiry_of(const queue::Message& message) {
  return message.expires_ms == 0 ? kNoDate : message.expires_ms;
}
[[nodiscard]] inline bool has_expired(const queue::Message& message, std::int64_t now_ms) {
  return message.expires_ms != 0 && message.expires_ms <= now_ms;
}

}  // namespace stompbox::routing

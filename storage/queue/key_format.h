#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/queue/journal.h"

// The keys of the store. README.md of this folder has them as a table; they sort in delivery order.
namespace stompbox::queue {

// On disk: never change a value. What a start looks through lies behind the ranges of messages, so
// that it does not walk over what was erased of them.
enum class KeyRange : char {
  kBody = 'B',      // + place: a body that stands apart
  kIndex = 'I',     // + place: the index entry of a message
  kLast = 'L',      // one record: the highest queue id that was ever used, kept at every drop
  kMeta = 'M',      // + queue: counts and bounds of a queue
  kName = 'Q',      // + queue: its name
  kReturned = 'R',  // + place: how often a message was delivered
  kStore = 'S',     // one record: format, identity, epoch
  kDropped = 'T',   // + queue: a dropped queue of which something still has to be taken out
  kDamaged = 'X',   // + place: an index entry that could not be read
};

// A key in its bytes. A value; owns them.
class Key {
 public:
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  friend Key single_key(KeyRange range);
  friend Key queue_key(KeyRange range, QueueId queue);
  friend Key place_key(KeyRange range, QueueId queue, Place place);

  std::array<char, 14> bytes_{};  // range 1, queue 4, class 1, number 8; big-endian
  std::size_t size_ = 0;
};

[[nodiscard]] Key single_key(KeyRange range);  // of kStore and kLast
[[nodiscard]] inline Key store_key() {
  return single_key(KeyRange::kStore);
}
[[nodiscard]] Key queue_key(KeyRange range, QueueId queue);
[[nodiscard]] Key place_key(KeyRange range, QueueId queue, Place place);

// Nothing when the bytes are no key of that range.
[[nodiscard]] std::optional<QueueId> read_queue_key(KeyRange range, std::string_view key);

struct QueuePlace {
  QueueId queue;
  Place place;
};
[[nodiscard]] std::optional<QueuePlace> read_place_key(KeyRange range, std::string_view key);

}  // namespace stompbox::queue

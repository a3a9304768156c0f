#include "storage/queue/key_format.h"

namespace stompbox::queue {
namespace {

constexpr std::size_t kQueueAt = 1;
constexpr std::size_t kClassAt = 5;
constexpr std::size_t kNumberAt = 6;
constexpr std::size_t kPlaceKeySize = 14;

template <typename Unsigned>
void put_big_endian(char* out, Unsigned value) {
  for (std::size_t i = sizeof(Unsigned); i-- > 0;) {
    out[i] = static_cast<char>(value & 0xff);
    value = static_cast<Unsigned>(value >> 8);
  }
}

template <typename Unsigned>
Unsigned get_big_endian(const char* in) {
  Unsigned value = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
    value = static_cast<Unsigned>((value << 8) | static_cast<unsigned char>(in[i]));
  }
  return value;
}

}  // namespace

Key single_key(KeyRange range) {
  Key key;
  key.bytes_[0] = static_cast<char>(range);
  key.size_ = kQueueAt;
  return key;
}

Key queue_key(KeyRange range, QueueId queue) {
  Key key;
  key.bytes_[0] = static_cast<char>(range);
  put_big_endian(&key.bytes_[kQueueAt], queue.value);
  key.size_ = kClassAt;
  return key;
}

Key place_key(KeyRange range, QueueId queue, Place place) {
  Key key = queue_key(range, queue);
  key.bytes_[kClassAt] = static_cast<char>(place.priority.value);
  put_big_endian(&key.bytes_[kNumberAt], place.seq.value);
  key.size_ = kPlaceKeySize;
  return key;
}

std::optional<QueueId> read_queue_key(KeyRange range, std::string_view key) {
  if (key.size() != kClassAt || key[0] != static_cast<char>(range)) return std::nullopt;
  return QueueId{get_big_endian<std::uint32_t>(&key[kQueueAt])};
}

std::optional<QueuePlace> read_place_key(KeyRange range, std::string_view key) {
  if (key.size() != kPlaceKeySize || key[0] != static_cast<char>(range)) return std::nullopt;
  const auto priority = static_cast<std::uint8_t>(key[kClassAt]);
  if (priority >= kPriorityClassCount) return std::nullopt;
  return QueuePlace{
      QueueId{get_big_endian<std::uint32_t>(&key[kQueueAt])},
      Place{PriorityClass{priority}, Seq{get_big_endian<std::uint64_t>(&key[kNumberAt])}}};
}

}  // namespace stompbox::queue

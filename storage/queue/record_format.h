#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/queue/journal.h"
#include "storage/queue/live_map.h"
#include "storage/queue/message.h"

// The values of the store, to bytes and back. README.md of this folder has them byte by byte. Every
// value is covered by the format number in the store record. Reading trusts nothing: whatever does
// not fit gives nothing.
namespace stompbox::queue {

inline constexpr std::uint32_t kStoreFormat = 3;

struct StoreRecord {
  std::uint32_t format = kStoreFormat;
  std::string identity;
  std::uint32_t epoch = 0;
  // The smallest inline_body_bytes_max that ever wrote here: only messages above it can have a body
  // that stands apart.
  std::uint64_t inline_bytes_least = 0;
};

struct QueueName {
  std::string name;
  std::string attributes;  // opaque

  friend bool operator==(const QueueName&, const QueueName&) = default;
};

// What the store keeps of one priority class of one queue.
struct ClassMeta {
  PriorityClass priority;
  std::uint64_t durable_count = 0;
  std::uint64_t durable_bytes = 0;
  std::uint64_t volatile_count = 0;  // of every epoch
  std::uint64_t next = 1;
  std::uint64_t low = 1;
  DeadRange returned;  // hull of the places with a delivery count; empty: none
  std::vector<DeadRange> dead;
  DeadRange deferred;  // before `low`: entries that are still to be deleted
  std::uint64_t deferred_bytes = 0;

  friend bool operator==(const ClassMeta&, const ClassMeta&) = default;
};

struct QueueMeta {
  std::vector<ClassMeta> classes;  // in order of delivery; only those that were ever used

  friend bool operator==(const QueueMeta&, const QueueMeta&) = default;
};

enum class BodyPlace : std::uint8_t {
  kInline,  // at the end of the index entry
  kApart,   // under a body key of the same place
};

// An index entry as it lies in its bytes: views point into them.
struct IndexEntry {
  MessageId id;
  Persistence persistence = Persistence::kDurable;
  std::int64_t arrived_ms = 0;
  std::int64_t expires_ms = 0;
  bool destination_is_queue = false;  // then `destination` is empty
  std::string_view destination;
  std::string_view header_block;
  bool block_is_plain = true;
  BodyPlace body_place = BodyPlace::kInline;
  std::string_view inline_body;
  std::uint64_t body_bytes = 0;

  // Equals Message::bytes() of the message.
  [[nodiscard]] std::uint64_t bytes() const;
};

// Appended to `out`, like all of them.
void encode_store(const StoreRecord& record, std::string& out);
[[nodiscard]] std::optional<StoreRecord> decode_store(std::string_view bytes);

void encode_name(const QueueName& name, std::string& out);
[[nodiscard]] std::optional<QueueName> decode_name(std::string_view bytes);

void encode_last_queue(QueueId queue, std::string& out);
[[nodiscard]] std::optional<QueueId> decode_last_queue(std::string_view bytes);

void encode_meta(const QueueMeta& meta, std::string& out);
[[nodiscard]] std::optional<QueueMeta> decode_meta(std::string_view bytes);

// The destination is left out when it is the queue's name.
void encode_index(const Message& message, std::string_view queue_name, BodyPlace body_place,
                  std::string& out);
[[nodiscard]] std::optional<IndexEntry> decode_index(std::string_view bytes);

void encode_deliveries(std::uint32_t deliveries, std::string& out);
[[nodiscard]] std::optional<std::uint32_t> decode_deliveries(std::string_view bytes);

}  // namespace stompbox::queue
